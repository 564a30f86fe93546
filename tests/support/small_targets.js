// Everything on the screen that wants a finger and is smaller than one. Radio buttons and check boxes have labels.
() => {
  const LEAST_PX = 48;
  const wanted = "button, a[href], select, summary, input:not([type=radio]):not([type=checkbox])";
  const dialog = document.querySelector("dialog[open]");
  const seen = [...(dialog ?? document).querySelectorAll(wanted)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }),
  );
  return seen
    .map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 1 && box.bottom > 0 && Math.min(box.width, box.height) < LEAST_PX)
    .map(({ one, box }) => {
      const name = (one.ariaLabel || one.innerText || one.id || one.tagName).slice(0, 40);
      return `${name}: ${box.width.toFixed(0)}x${box.height.toFixed(0)}`;
    });
}
