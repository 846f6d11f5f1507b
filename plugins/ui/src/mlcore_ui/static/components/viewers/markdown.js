import { html } from "../../lib/html.js";
import { ErrorCard } from "../errorcard.js";
import { Markdown } from "../markdown.js";
import { Loading, TakeAway, useText } from "./use.js";
import { panel } from "../panel.js";

const MOST = 1 << 20;

export default panel(MarkdownFile);

function MarkdownFile({ files, file }) {
  const { data, error, again } = useText(files, file, MOST);
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<${Loading} />`;
  return html`<${Markdown} text=${data.text} />${!data.whole && html`<${TakeAway} files=${files} file=${file} why="This is the beginning." />`}`;
}
