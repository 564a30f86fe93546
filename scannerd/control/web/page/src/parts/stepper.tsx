import { useId } from "preact/hooks";
import { Icon } from "./icon";

export interface StepperProps {
  label: string;
  fewer: string;
  more: string;
  value: number;
  steps: number[];
  disabled?: boolean;
  choose: (value: number) => void;
}

/** A number that goes up and down by touch through sensible values; a keyboard can type any. */
export function Stepper({ label, fewer, more, value, steps, disabled, choose }: StepperProps) {
  const id = useId();
  const lower = steps.filter((step) => step < value).at(-1);
  const higher = steps.find((step) => step > value);
  return (
    <div class="stepper">
      <label for={id}>{label}</label>
      <div class="bar">
        <button
          type="button"
          aria-label={fewer}
          disabled={disabled || lower === undefined}
          onClick={() => lower !== undefined && choose(lower)}
        >
          <Icon name="minus" />
        </button>
        <input
          id={id}
          type="number"
          inputMode="numeric"
          min={steps[0]}
          max={steps.at(-1)}
          value={value}
          disabled={disabled}
          onChange={(event) => {
            const typed = Math.round(event.currentTarget.valueAsNumber);
            const kept = Number.isFinite(typed) ? Math.min(Math.max(typed, steps[0]!), steps.at(-1)!) : value;
            event.currentTarget.value = String(kept);
            choose(kept);
          }}
        />
        <button
          type="button"
          aria-label={more}
          disabled={disabled || higher === undefined}
          onClick={() => higher !== undefined && choose(higher)}
        >
          <Icon name="plus" />
        </button>
      </div>
    </div>
  );
}
