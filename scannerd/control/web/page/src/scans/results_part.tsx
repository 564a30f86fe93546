import { address, read } from "../api/client";
import type { Report, ResultFile, Results, ScanDetail } from "../api/wire";
import { Facts } from "../parts/facts";
import { Icon } from "../parts/icon";
import { Wait } from "../parts/wait";
import { useResource } from "../state/resource";
import { bytes, figure } from "../words/figures";
import { say, sayKnown } from "../words/messages";
import { ModelView } from "./model_view";

interface Finished {
  results: Results;
  report: Report;
}

async function readFinished(scan_id: string): Promise<Finished> {
  const [results, report] = await Promise.all([
    read<Results>(`scans/${scan_id}/results`),
    read<Report>(`scans/${scan_id}/results/report.json`),
  ]);
  return { results, report };
}

/** The model with its figures and everything that can be taken home. */
export function ResultsPart({ scan }: { scan: ScanDetail }) {
  const finished = useResource(() => readFinished(scan.scan_id), [scan.scan_id]);
  return (
    <Wait of={finished}>
      {({ results, report }) => (
        <div class="results">
          <ModelView scan_id={scan.scan_id} unit={report.units} />
          <aside class="card">
            {!results.verified && <p class="bad">{say("detail.unverified")}</p>}
            <h2>{say("detail.model")}</h2>
            <Facts facts={factsOf(report)} />
            <h2>{say("detail.downloads")}</h2>
            <Downloads scan={scan} files={results.files} />
          </aside>
        </div>
      )}
    </Wait>
  );
}

function factsOf(report: Report): [string, string][] {
  return [
    [say("detail.triangles"), figure(report.triangles)],
    [say("detail.used"), `${figure(report.photos_used)} / ${figure(report.photos_given)}`],
    [say("detail.watertight"), say(report.watertight ? "detail.yes" : "detail.no")],
    [say("detail.scale"), sayKnown("scale", report.scale_source)],
  ];
}

function Downloads({ scan, files }: { scan: ScanDetail; files: ResultFile[] }) {
  return (
    <ul class="downloads">
      {files.map((file) => (
        <Download
          key={file.name}
          href={address(`scans/${scan.scan_id}/results/${file.name}`)}
          as={`${scan.scan_id}-${file.name}`}
          name={sayKnown("detail.file", file.name)}
          size_bytes={file.size_bytes}
        />
      ))}
      <Download
        href={address(`scans/${scan.scan_id}/photos.zip`)}
        as={`${scan.scan_id}-photos.zip`}
        name={say("detail.photos.zip")}
        size_bytes={scan.size_bytes}
      />
    </ul>
  );
}

function Download({ href, as, name, size_bytes }: { href: string; as: string; name: string; size_bytes: number }) {
  const size = bytes(size_bytes);
  return (
    <li>
      <a href={href} download={as} aria-label={say("detail.download", { name, size })}>
        <Icon name="download" />
        <span>{name}</span>
        <small>{size}</small>
      </a>
    </li>
  );
}
