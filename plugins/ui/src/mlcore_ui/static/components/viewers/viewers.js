// Which viewer shows which file. The first that fits is used; the person may choose among the others.
import { viewersFor } from "../../lib/extensions.js";
import { seriesOf } from "./series.js";

/** @typedef {import("./place.js").Place} Place */
/** @typedef {import("./place.js").ShownFile} ShownFile */
/**
 * A viewer. load: the module whose default export is a component of {place, file, onPath}.
 * @typedef {{id: string, title: string, match: (file: ShownFile) => boolean, load: () => Promise<{default: Function}>, order?: number}} Viewer
 */

const ending = (file) => (/\.([^./]+)$/.exec(file.name)?.[1] ?? "").toLowerCase();
const ends = (...names) => (file) => !file.is_dir && names.includes(ending(file));
const IMAGES = ends("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico", "svg");
const TEXTS = ends("txt", "log", "out", "err", "md", "markdown", "rst", "py", "pyi", "js", "mjs", "ts", "tsx", "jsx", "css", "html", "htm", "xml", "svg", "json", "jsonl",
  "ndjson", "geojson", "ipynb", "yaml", "yml", "toml", "ini", "cfg", "conf", "env", "csv", "tsv", "sh", "bash", "zsh", "ps1", "bat", "sql", "r", "jl", "java", "scala", "kt", "go", "rs", "c", "h",
  "cc", "cpp", "hpp", "cu", "cs", "rb", "php", "lua", "pl", "swift", "dockerfile", "tf", "proto", "diff", "patch", "tex", "bib", "srt", "lock", "properties", "graphql");
const NAMED = new Set(["mlmodel", "mlproject", "dockerfile", "makefile", "license", "readme", "requirements", "procfile", "conda", "gemfile", ".gitignore", ".env"]);
const SMALL = 1_000_000;
const isText = (file) => !file.is_dir && (TEXTS(file) || NAMED.has(file.name.toLowerCase()) || (file.mime ?? "").startsWith("text/"));

/** @type {Viewer[]} */
const OWN = [
  { id: "model", title: "Model", match: (file) => file.is_dir && (file.inside ?? []).some((one) => one.name === "MLmodel" && !one.is_dir), load: () => import("./model.js") },
  { id: "folder", title: "Files", match: (file) => file.is_dir, load: () => import("./folder.js") },
  { id: "steps", title: "Through steps", match: (file) => IMAGES(file) && Boolean(seriesOf(file)), load: () => import("./steps.js") },
  { id: "image", title: "Image", match: IMAGES, load: () => import("./image.js") },
  { id: "geojson", title: "Map", match: ends("geojson"), load: () => import("./geojson.js") },
  { id: "logged-table", title: "Table", match: (file) => ending(file) === "json" && Boolean(file.is_table), load: () => import("./table.js") },
  { id: "table", title: "Table", match: ends("csv", "tsv", "jsonl", "ndjson", "parquet", "npy"), load: () => import("./table.js") },
  { id: "json", title: "Tree", match: ends("json", "geojson", "ipynb"), load: () => import("./json.js") },
  { id: "markdown", title: "Markdown", match: ends("md", "markdown"), load: () => import("./markdown.js") },
  { id: "html", title: "Report", match: ends("html", "htm", "xhtml"), load: () => import("./report.js") },
  { id: "pdf", title: "Document", match: ends("pdf"), load: () => import("./pdf.js") },
  { id: "audio", title: "Sound", match: ends("wav", "mp3", "ogg", "oga", "flac", "m4a", "aac", "opus"), load: () => import("./media.js") },
  { id: "video", title: "Video", match: ends("mp4", "webm", "ogv", "mov", "m4v"), load: () => import("./media.js") },
  { id: "text", title: "Text", match: isText, load: () => import("./text.js") },
  // what has no known name is looked into when it is small
  { id: "bytes", title: "Text", match: (file) => !file.is_dir && !isText(file) && !known(file) && (file.size_bytes ?? 0) <= SMALL, load: () => import("./text.js") },
  { id: "none", title: "File", match: (file) => !file.is_dir, load: () => import("./none.js") },
];

const known = (file) => IMAGES(file) || OWN.some((one) => ["table", "pdf", "audio", "video"].includes(one.id) && one.match(file))
  || ends("zip", "gz", "tgz", "tar", "bz2", "xz", "7z", "pkl", "pickle", "joblib", "pt", "pth", "bin", "onnx", "h5", "keras", "safetensors", "npz", "so", "exe", "whl", "ubj", "arrow", "feather", "db", "sqlite")(file);

/** The viewers that can show a file, the best first. @param {ShownFile} file @returns {Viewer[]} */
export function viewersOf(file) {
  const fits = OWN.filter((one) => one.match(file));
  const ours = fits.length > 1 ? fits.filter((one) => one.id !== "none") : fits;
  return [...plugins(file), ...ours].map((one, at) => ({ one, at })).sort((a, b) => (a.one.order ?? 0) - (b.one.order ?? 0) || a.at - b.at).map(({ one }) => one);
}

/** Viewers of plugins, which know a kind of file better than ours do. @param {ShownFile} file @returns {Viewer[]} */
function plugins(file) {
  if (file.is_dir) return [];
  return viewersFor(file).map((extension) => ({
    id: extension.id, title: extension.title, order: extension.order <= 100 ? -1 : 1, match: () => true,
    load: async () => (await import("./plugin.js")).viewerOf(extension),
  }));
}
