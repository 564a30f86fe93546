import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { mayControl } from "../state/scanner";
import { say } from "../words/messages";
import { Icon, type IconName } from "./icon";

export interface ActionProps {
  icon?: IconName;
  label: ComponentChildren;
  /** For screen readers, where the label alone says too little. */
  name?: string;
  kind?: "main" | "plain" | "danger" | "quiet";
  large?: boolean;
  disabled?: boolean;
  /** Works without being paired. */
  free?: boolean;
  run: () => Promise<unknown> | void;
}

/** A button that is busy until its command has been answered; every command has a deadline. */
export function Action({ icon, label, name, kind = "plain", large, disabled, free, run }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await run();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`action ${kind} ${large ? "large" : ""}`}
      disabled={disabled || (!free && !mayControl.value)}
      aria-busy={busy}
      aria-label={name}
      onClick={() => void act()}
    >
      {icon && <Icon name={icon} />}
      <span>{busy ? say("wait.sending") : label}</span>
    </button>
  );
}
