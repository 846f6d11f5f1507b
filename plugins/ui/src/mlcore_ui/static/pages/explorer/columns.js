// Names of columns, as filters and the address write them: metrics.loss.min, params.lr, tags.team, attributes.duration.

/** @typedef {{kind: string, key: string, stat: string|null}} Name */

const PLAIN = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$/;
const PREFIX = { metric: "metrics", param: "params", tag: "tags", attribute: "attributes" };
const KIND = { metrics: "metric", params: "param", tags: "tag", attributes: "attribute" };
export const STATS = ["last", "min", "max", "count"];
/** Attributes that can be columns, with what they are called. */
export const ATTRIBUTES = {
  status: "status", start_time: "started", duration: "duration", end_time: "ended", user_id: "user", run_id: "run id",
  experiment_id: "experiment", lifecycle_stage: "stage",
};
const LESS = /(^|[^a-z])(loss|error|err|rmse|mse|mae|mape|perplexity|ppl|nll|wer|cer|time|latency|seconds)([^a-z]|$)/i;
const WIDTHS = { metric: 112, param: 112, tag: 130, attribute: 104 };

/** @param {string} name @returns {Name} */
export function parse(name) {
  const dot = name.indexOf(".");
  const kind = KIND[name.slice(0, dot)] ?? "attribute";
  const rest = name.slice(dot + 1);
  if ("`\"'".includes(rest[0])) {
    const end = rest.indexOf(rest[0], 1);
    const key = rest.slice(1, end < 0 ? undefined : end);
    const stat = end < 0 ? "" : rest.slice(end + 2);
    return { kind, key, stat: kind === "metric" && STATS.includes(stat) ? stat : null };
  }
  const found = kind === "metric" ? /^(.+)\.(min|max|last|count)$/.exec(rest) : null;
  return found ? { kind, key: found[1], stat: found[2] } : { kind, key: rest, stat: null };
}

/** @param {Name} name */
export function compose({ kind, key, stat }) {
  const ambiguous = kind === "metric" && STATS.includes(key.slice(key.lastIndexOf(".") + 1));
  const quote = PLAIN.test(key) && !ambiguous ? "" : !key.includes("`") ? "`" : !key.includes('"') ? '"' : "'";
  return `${PREFIX[kind]}.${quote}${key}${quote}${stat ? `.${stat}` : ""}`;
}

/** Names in one text, by commas that are not in quotes. @param {string|undefined} text @returns {string[]} */
export function split(text) {
  return (text ?? "").match(/(?:`[^`]*`|"[^"]*"|'[^']*'|[^,`"'])+/g) ?? [];
}

/** Whether small values of a metric are the good ones, judged by its name. @param {string} key */
export function lessIsBetter(key) {
  return LESS.test(key.replace(/([a-z])([A-Z])/g, "$1 $2"));
}

/**
 * What rows are sorted by when metrics show something else; a column that somebody chose with its stat stays.
 * @param {{column: string, descending: boolean}[]} sort @param {string[]|null} cols @param {string} before @param {string} after
 */
export function sortShown(sort, cols, before, after) {
  return sort.map(({ column, descending }) => {
    const found = parse(column);
    const plain = compose({ ...found, stat: null });
    const moves = found.kind === "metric" && shownAs(plain, before) === column && !(found.stat && cols?.includes(column));
    return (descending ? "-" : "") + (moves ? shownAs(plain, after) : column);
  });
}

/** The column that is asked for when metrics are to show one of last, min, max, best. @param {string} name @param {string} stat */
export function shownAs(name, stat) {
  const found = parse(name);
  if (found.kind !== "metric" || found.stat || !stat || stat === "last") return name;
  return compose({ ...found, stat: stat === "best" ? (lessIsBetter(found.key) ? "min" : "max") : stat });
}

/**
 * The columns that show when nobody chose: first what differs between runs, then the others. What only some runs have differs.
 * @param {{keys: import("../../lib/types.js").Facet[], total: number}|undefined} facets
 */
export function usual(facets) {
  const keys = facets?.keys ?? [];
  const plain = (one) => one.kind === "metric" || one.kind === "param" || (one.kind === "tag" && !/^tags\.[`"']?(mlflow|mlcore)\./.test(one.column));
  const known = keys.filter(plain);
  const vary = (one) => one.distinct > 1 || one.count < facets.total;
  const from = [...known.filter(vary), ...known.filter((one) => !vary(one))];
  const some = (kind, most) => from.filter((one) => one.kind === kind).slice(0, most).map((one) => one.column);
  return ["attributes.status", "attributes.start_time", "attributes.duration", ...some("metric", 6), ...some("param", 8), ...some("tag", 2)];
}

/**
 * A column as the grid has it.
 * @param {string} name @param {Map<string, import("../../lib/types.js").Facet>} facetOf @param {Set<string>} fixed @param {boolean} [grouped] numbers are ranges and means
 */
export function gridColumn(name, facetOf, fixed, grouped = false) {
  const found = parse(name);
  const right = found.kind === "metric" || name === "attributes.duration" || (found.kind !== "attribute" && facetOf.get(name)?.numeric === true);
  const wide = grouped && (found.kind === "metric" || (right && found.kind === "param"));
  return {
    id: name, ...found, label: label(found), wide, width: Math.max(wide ? 176 : WIDTHS[found.kind], Math.min(220, found.key.length * 8 + 30)),
    right, pinned: fixed.has(name),
  };
}

/** @param {Name} found */
export function label({ kind, key }) {
  return kind === "attribute" ? ATTRIBUTES[key] ?? key : key;
}
