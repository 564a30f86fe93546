import { address } from "../api/client";
import { Facts } from "../parts/facts";
import { state } from "../state/scanner";
import { say } from "../words/messages";

export function About() {
  return (
    <section class="card">
      <h2>{say("device.about")}</h2>
      <Facts facts={[[say("about.version"), state.value?.version ?? ""]]} />
      <ul class="links">
        <li>
          <a href={address("openapi.json")}>{say("about.api")}</a>
        </li>
        <li>
          <a href="./licences.txt">{say("about.licences")}</a>
        </li>
      </ul>
    </section>
  );
}
