import { signal } from "@preact/signals";
import { say } from "../words/messages";
import { cameraName } from "./frame_words";

const chosen = signal(0);

/** The number of the camera that somebody wants to see, among those there are. */
export function seenCamera(cameras: readonly string[]): number {
  return chosen.value < cameras.length ? chosen.value : 0;
}

export interface CameraChoiceProps {
  cameras: readonly string[];
  /** A small picture of each, where there is one. */
  pictures?: readonly (string | null)[];
}

/** Which of several cameras is shown large; nothing where there is only one. */
export function CameraChoice({ cameras, pictures = [] }: CameraChoiceProps) {
  if (cameras.length < 2) return null;
  const seen = seenCamera(cameras);
  return (
    <div class="cameras" role="group" aria-label={say("camera.choose")}>
      {cameras.map((name, number) => (
        <button key={name} type="button" aria-pressed={number === seen} onClick={() => (chosen.value = number)}>
          {pictures[number] && <img src={pictures[number]} alt="" decoding="async" />}
          <span>{cameraName(cameras, number)}</span>
        </button>
      ))}
    </div>
  );
}
