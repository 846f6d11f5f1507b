// What can stand at the caret of a half-typed filter. The server alone judges filters; this only helps to write them.
import { ATTRIBUTES, parse } from "./columns.js";

const TOKEN = /\s+|[()]|,|!=|<=|>=|[<>=]|(?:[A-Za-z_]+\.)?(?:`[^`]*`?|"[^"]*"?|'[^']*'?)(?:\.\w*)?|[^\s()<>=!,`"']+|./g;
const LISTS = ["IN", "NOT IN"];
const NUMBERS = ["=", "!=", "<", "<=", ">", ">=", ...LISTS];
const TEXTS = ["=", "!=", "LIKE", "ILIKE", ...LISTS, "IS NULL", "IS NOT NULL"];
const MOST = 12;

/**
 * @typedef {{text: string, about: string, more?: boolean}} Option
 * @typedef {{from: number, to: number, options: Option[]}} Completion
 */

/**
 * Where the caret stands: what is expected, the beginning that is typed, the field and operator before.
 * @param {string} text up to the caret
 */
export function expected(text) {
  const tokens = (text.match(TOKEN) ?? []).filter((one) => one.length);
  const partial = tokens.length && !/^\s|[(,)]$/.test(tokens.at(-1)) && !/^(=|!=|<=?|>=?)$/.test(tokens.at(-1)) ? tokens.pop() : "";
  let want = "field";
  let field = "";
  let operator = "";
  let list = false;
  for (const token of tokens) {
    if (/^\s+$/.test(token)) continue;
    const word = token.toUpperCase();
    if (list) {
      if (token === ")") { list = false; want = "word"; }
    } else if (want === "field") {
      if (token === "(" || word === "NOT") continue;
      field = token;
      want = "operator";
    } else if (want === "operator") {
      if (word === "NOT" || word === "!") { operator = word; continue; }
      operator = word;
      want = word === "IN" ? "list" : "value";
    } else if (want === "list") {
      list = token === "(";
      want = "value";
    } else if (want === "value") {
      if (operator === "IS" && word === "NOT") continue;
      want = "word";
    } else if (word === "AND" || word === "OR") {
      want = "field";
    }
  }
  return { want: list ? "value" : want, partial, field, operator };
}

/**
 * @param {string} text @param {number} caret
 * @param {{column: string, kind: string, count: number, distinct: number, numeric: boolean, values?: [string, number][], min?: any, max?: any}[]} keys
 * @returns {Completion}
 */
export function complete(text, caret, keys) {
  const { want, partial, field, operator } = expected(text.slice(0, caret));
  const from = caret - partial.length;
  // the rest of the word that the caret stands in goes too
  const to = caret + (/^[\w./:-]*/.exec(text.slice(caret))?.[0].length ?? 0);
  const make = { field: fields, operator: operators, value: values, list: () => [{ text: "(", about: "list" }], word: words }[want];
  const options = make(partial, keys, field, operator).slice(0, MOST);
  if (options.length === 1 && options[0].text === partial) return { from, to, options: [] };
  return { from, to, options };
}

/**
 * What to ask the server for when not all keys are known here: the name that is being typed, or the one whose value is.
 * @param {string} text up to the caret
 */
export function sought(text) {
  const { want, partial, field } = expected(text);
  return want === "field" ? partial : want === "value" || want === "operator" ? field : "";
}

function fields(partial, keys) {
  const low = partial.toLowerCase();
  const attributes = Object.keys(ATTRIBUTES).concat("run_name")
    .filter((name) => name !== "experiment_id" && name !== "lifecycle_stage").map((name) => ({ column: `attributes.${name}`, kind: "attribute" }));
  const all = [...keys.filter((one) => one.kind !== "attribute"), ...attributes];
  const found = all.filter((one) => one.column.toLowerCase().includes(low));
  found.sort((a, b) => rank(a, low) - rank(b, low));
  const options = found.map((one) => ({ text: one.column, about: about(one) }));
  const exact = keys.find((one) => one.kind === "metric" && (one.column === partial || `${one.column}.` === partial.replace(/\w*$/, "")));
  const stats = exact ? ["min", "max", "last"].map((stat) => ({ text: `${exact.column}.${stat}`, about: `${stat} of the curve` })).filter((one) => one.text.startsWith(partial)) : [];
  return [...(low && "not".startsWith(low) ? [{ text: "NOT", about: "the opposite" }] : []), ...options.slice(0, MOST - stats.length), ...stats];
}

function rank(one, low) {
  if (!low) return 0;
  if (one.column.toLowerCase().startsWith(low)) return 0;
  return parse(one.column).key.toLowerCase().startsWith(low) ? 1 : 2;
}

function about(one) {
  if (one.kind === "attribute" || one.count === undefined) return one.kind;
  const range = one.min !== undefined && one.min !== null && one.distinct > 1 ? `${short(one.min)} … ${short(one.max)}` : `${one.distinct} ${one.distinct === 1 ? "value" : "values"}`;
  return `${one.kind} · ${range}`;
}

function short(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
}

function operators(partial, keys, field) {
  const facet = keys.find((one) => one.column === field);
  const { kind, key } = parse(field);
  const number = kind === "metric" || (kind === "attribute" && /time$|^duration$/.test(key));
  const all = number ? NUMBERS : kind === "attribute" ? ["=", "!=", "LIKE", "ILIKE", ...LISTS]
    : facet?.numeric && kind === "param" ? [...NUMBERS, "LIKE", "IS NULL", "IS NOT NULL"] : TEXTS;
  return all.filter((one) => one.startsWith(partial.toUpperCase())).map((text) => ({ text, about: MEANS[text] }));
}

const MEANS = {
  "=": "equals", "!=": "differs", "<": "less", "<=": "at most", ">": "greater", ">=": "at least", LIKE: "% for any text", ILIKE: "as LIKE, in any case",
  "IS NULL": "is missing", "IS NOT NULL": "is there", IN: "is one of", "NOT IN": "is none of",
};
const STATUSES = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];

function values(partial, keys, field, operator) {
  if (operator === "IS") return ["NULL", "NOT NULL"].filter((one) => one.startsWith(partial.toUpperCase())).map((text) => ({ text, about: MEANS[`IS ${text}`] }));
  const { kind, key } = parse(field);
  const facet = keys.find((one) => one.column === field) ?? keys.find((one) => parse(one.column).kind === kind && parse(one.column).key === key);
  if (kind === "metric") {
    const ends = facet ? [[facet.min, "min"], [facet.max, "max"]] : [];
    return ends.filter(([value]) => typeof value === "number" && String(value).startsWith(partial)).map(([value, what]) => ({ text: String(value), about: `${what} last value` }));
  }
  const known = kind === "attribute" && key === "status" ? STATUSES.map((one) => [one, 0]) : facet?.values ?? [];
  const bare = /^[<>]/.test(operator);
  const low = partial.replace(/^['"]|['"]$/g, "").toLowerCase();
  return known.filter(([value]) => String(value).toLowerCase().includes(low)).map(([value, count]) => ({ text: bare ? value : quoted(value), about: count ? `${count}×` : "" }));
}

/** A text as a filter writes it. @param {string} text */
export function quoted(text) {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}

function words(partial) {
  return ["AND", "OR"].filter((one) => one.startsWith(partial.toUpperCase())).map((text) => ({ text, about: text === "AND" ? "both" : "either" }));
}
