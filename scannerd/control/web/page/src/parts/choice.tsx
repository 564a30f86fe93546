export interface ChoiceProps<T extends string | number> {
  label: string;
  help?: string;
  value: T;
  choices: { value: T; label: string }[];
  disabled?: boolean;
  choose: (value: T) => void;
}

/** A few things of which one holds: radio buttons, drawn as one bar for thick fingers. */
export function Choice<T extends string | number>({ label, help, value, choices, disabled, choose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend>
        {label}
        {help && <small>{help}</small>}
      </legend>
      <div class="bar">
        {choices.map((one) => (
          <label key={one.value}>
            <input
              type="radio"
              name={label}
              checked={one.value === value}
              onChange={() => choose(one.value)}
            />
            <span>{one.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
