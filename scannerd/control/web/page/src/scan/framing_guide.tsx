/** Corners that the object must stay inside, the axis that it should stand on, and the middle of the picture. */
export function FramingGuide() {
  return (
    <svg class="guide" viewBox="0 0 400 300" preserveAspectRatio="none" aria-hidden="true">
      <g class="corners">
        <path d="M70 62V36H96M304 36h26v26M330 238v26h-26M96 264H70v-26" />
      </g>
      <path class="axis" d="M200 20V280" />
      <path class="axis" d="M186 150h28" />
    </svg>
  );
}
