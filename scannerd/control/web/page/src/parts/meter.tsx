export interface MeterProps {
  label: string;
  percent: number;
  kind?: "plain" | "bad";
}

/** How far something is. */
export function Meter({ label, percent, kind = "plain" }: MeterProps) {
  const whole = Math.round(Math.min(Math.max(percent, 0), 100));
  return (
    <div
      class={`meter ${kind}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={whole}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <i style={{ width: `${whole}%` }} />
    </div>
  );
}
