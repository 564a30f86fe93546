import { useEffect, useState } from "preact/hooks";
import { address } from "../api/client";
import type { Viewpoint } from "../api/wire";
import { Photo } from "../parts/photo";
import { say } from "../words/messages";

/** What the device found in a photo, to be laid over it. */
export type Layer = "mask" | "edges";

export interface FramePhotoProps {
  scan_id: string;
  viewpoint: Viewpoint;
  layer: Layer | null;
}

/** One photo, large, with what was found in it. */
export function FramePhoto({ scan_id, viewpoint, layer }: FramePhotoProps) {
  if (viewpoint.status === "planned") return <p class="photo-lost">{say("frame.none")}</p>;
  const version = `?attempt=${viewpoint.attempts}-${viewpoint.size_bytes}`;
  const place = `scans/${scan_id}/frames/${viewpoint.index}`;
  return (
    <div class="layered">
      <Photo
        src={address(`${place}.jpg${version}`)}
        alt={say("frame.alt", { number: viewpoint.index + 1 })}
        failed={say("failure.no connection")}
      />
      {layer && <Over src={address(`${place}.${layer}.png${version}`)} layer={layer} />}
    </div>
  );
}

/** Nothing is laid over a photo of which nothing was found. */
function Over({ src, layer }: { src: string; layer: Layer }) {
  const [lost, setLost] = useState(false);
  useEffect(() => setLost(false), [src]);
  if (lost) return <p class="layer-lost">{say("frame.layer.none")}</p>;
  return <img class={`layer ${layer}`} src={src} alt={say(`frame.layer.${layer}`)} onError={() => setLost(true)} />;
}
