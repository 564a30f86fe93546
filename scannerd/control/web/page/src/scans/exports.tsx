import { useState } from "preact/hooks";
import { address } from "../api/client";
import type { ScanDetail } from "../api/wire";
import { Icon } from "../parts/icon";
import { Switch } from "../parts/switch";
import { say } from "../words/messages";

const PROGRAMS = { meshroom: "Meshroom", colmap: "COLMAP", nerfstudio: "nerfstudio", realitycapture: "RealityCapture" };

/** The scan as other programs read it. */
export function Exports({ scan }: { scan: ScanDetail }) {
  const [withRaw, setWithRaw] = useState(false);
  if (scan.frames_done === 0) return null;
  const programs = Object.entries(PROGRAMS).filter(([program]) => scan.has_mat || program !== "nerfstudio");
  return (
    <section class="card">
      <h2>{say("export.title")}</h2>
      <p class="muted">{say(scan.has_mat ? "export.help" : "export.help.plain")}</p>
      {scan.raw_files > 0 && (
        <Switch label={say("export.raw", { count: scan.raw_files })} on={withRaw} turn={setWithRaw} />
      )}
      <ul class="downloads exports">
        {programs.map(([program, name]) => (
          <li key={program}>
            <a
              href={address(`scans/${scan.scan_id}/export/${program}.zip${withRaw && scan.raw_files > 0 ? "?raw=true" : ""}`)}
              download={`${scan.scan_id}-${program}.zip`}
              aria-label={say("export.download", { program: name })}
            >
              <Icon name="download" />
              <span>{name}</span>
              <small>ZIP</small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
