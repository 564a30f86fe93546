import { Icon, type IconName } from "./icon";

export interface SwitchProps {
  label: string;
  icon?: IconName;
  on: boolean;
  turn: (on: boolean) => void;
}

/** Something that is on or off at once. */
export function Switch({ label, icon, on, turn }: SwitchProps) {
  return (
    <button type="button" role="switch" class="switch" aria-checked={on} onClick={() => turn(!on)}>
      {icon && <Icon name={icon} />}
      <span>{label}</span>
      <i aria-hidden="true" />
    </button>
  );
}
