// The outline of what a GeoJSON file holds; no map below it, as nothing is asked of anybody.
import { html, useMemo, useState } from "../../lib/html.js";
import { bytes, count, number } from "../../lib/format.js";
import { ErrorCard } from "../errorcard.js";
import { Branch } from "./json.js";
import { Loading, TakeAway, useText } from "./use.js";
import { panel } from "../panel.js";

const MOST = 8 << 20;
const WIDE = 800;
const MOST_FEATURES = 5000;

export default panel(GeoJson);

function GeoJson({ files, file }) {
  const isBig = (file.size_bytes ?? 0) > MOST;
  const { data, error, again } = useText(files, isBig ? { ...file, size_bytes: 0 } : file, MOST);
  const map = useMemo(() => (data && !isBig ? drawn(data.text) : null), [data?.text, isBig]);
  const [chosen, setChosen] = useState(null);
  if (isBig) return html`<${TakeAway} files=${files} file=${file} why=${`Maps are drawn of at most ${bytes(MOST)}.`} />`;
  if (error) return html`<${ErrorCard} error=${error} onAgain=${again} />`;
  if (!data) return html`<${Loading} />`;
  if (map.wrong) return html`<${TakeAway} files=${files} file=${file} why=${map.wrong} />`;
  const { features, box, high } = map;
  return html`<div class="bar"><span class="muted">${count(map.total)} ${map.total === 1 ? "feature" : "features"}; longitude ${number(box[0])} to ${number(box[2])}, latitude ${number(box[1])} to ${number(box[3])}${map.total > features.length ? `; the first ${count(features.length)} are drawn` : ""}</span></div>
    <div class="geo"><svg viewBox=${`-6 -6 ${WIDE + 12} ${high + 12}`} role="img" aria-label=${`Outline of ${file.name}`}>
      ${features.map((one, at) => html`<g key=${at} class=${chosen === one ? "chosen" : ""} onClick=${() => setChosen(one)}><title>${titleOf(one.properties)}</title>
        ${one.path && html`<path d=${one.path} class=${one.area ? "area" : "line"} />`}
        ${one.points.map(([x, y]) => html`<circle cx=${x} cy=${y} r="4" />`)}</g>`)}</svg>
    ${chosen && html`<aside class="json" aria-label="Properties"><${Branch} name="" value=${chosen.properties ?? {}} open=${true} depth=${0} /></aside>`}</div>`;
}

function titleOf(properties) {
  if (!properties || typeof properties !== "object") return "";
  return Object.entries(properties).slice(0, 8).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("\n");
}

function drawn(text) {
  let all;
  try {
    const root = JSON.parse(text);
    all = root.type === "FeatureCollection" ? root.features : [root.type === "Feature" ? root : { geometry: root, properties: {} }];
    if (!Array.isArray(all)) return { wrong: "This is not GeoJSON: it has no features." };
  } catch {
    return { wrong: "This is not JSON." };
  }
  const shapes = all.slice(0, MOST_FEATURES).map((one) => ({ properties: one?.properties, parts: partsOf(one?.geometry, 0) }));
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { parts } of shapes) {
    for (const { line } of parts) {
      for (const [x, y] of line) { box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y); box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y); }
    }
  }
  if (!Number.isFinite(box[0])) return { wrong: "There are no coordinates in this file." };
  // degrees of longitude get shorter away from the equator
  const squeeze = Math.max(0.05, Math.cos((((box[1] + box[3]) / 2) * Math.PI) / 180));
  const width = Math.max((box[2] - box[0]) * squeeze, (box[3] - box[1]) / 2, 1e-9);
  const scale = WIDE / width;
  const put = ([x, y]) => [Math.round((x - box[0]) * squeeze * scale * 10) / 10, Math.round((box[3] - y) * scale * 10) / 10];
  const features = shapes.map(({ properties, parts }) => ({
    properties,
    points: parts.filter((one) => one.kind === "point").flatMap((one) => one.line.map(put)),
    area: parts.some((one) => one.kind === "area"),
    path: parts.filter((one) => one.kind !== "point").map((one) => `M${one.line.map((point) => put(point).join(" ")).join("L")}${one.kind === "area" ? "Z" : ""}`).join(""),
  }));
  return { features, box, total: all.length, high: Math.max((box[3] - box[1]) * scale, 1) };
}

function partsOf(geometry, depth) {
  const at = geometry?.coordinates;
  const line = (points) => (Array.isArray(points) ? points.filter((one) => Array.isArray(one) && Number.isFinite(one[0]) && Number.isFinite(one[1])) : []);
  const list = (value) => (Array.isArray(value) ? value : []);
  switch (geometry?.type) {
    case "Point": return [{ kind: "point", line: line([at]) }];
    case "MultiPoint": return [{ kind: "point", line: line(at) }];
    case "LineString": return [{ kind: "line", line: line(at) }].filter((one) => one.line.length);
    case "MultiLineString": return list(at).map((one) => ({ kind: "line", line: line(one) })).filter((one) => one.line.length);
    case "Polygon": return list(at).map((one) => ({ kind: "area", line: line(one) })).filter((one) => one.line.length);
    case "MultiPolygon": return list(at).flatMap((one) => list(one)).map((one) => ({ kind: "area", line: line(one) })).filter((one) => one.line.length);
    case "GeometryCollection": return depth > 5 ? [] : list(geometry.geometries).flatMap((one) => partsOf(one, depth + 1));
    default: return [];
  }
}
