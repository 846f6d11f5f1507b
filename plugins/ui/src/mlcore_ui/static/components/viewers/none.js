import { html } from "../../lib/html.js";
import { TakeAway } from "./use.js";

export default function None({ place, file }) {
  return html`<${TakeAway} place=${place} file=${file} why="Files of this kind are not shown here." />`;
}
