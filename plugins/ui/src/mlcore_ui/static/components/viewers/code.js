// Code in a few colours: comments, strings, numbers, words of the language. No more than helps the eye.
const PYTHON = "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield None True False self";
const BRACES = "async await break case catch class const continue default delete do else enum export extends false final finally fn for func function if implements import in include instanceof int interface let match mut new null nullptr package private protected pub public return static struct super switch template this throw throws true try type typedef typeof undefined using var void while yield";
const SHELL = "if then else elif fi for while do done case esac function in return export local set source exit echo cd";
const SQL = "select from where group by order having insert into values update set delete create table join left right inner outer on as and or not null distinct limit union all";
const R = "function if else for while repeat in next break TRUE FALSE NULL NA Inf library return";

const HASH = ["#"];
const SLASH = ["//"];
/** @type {Map<string, [string, string[]]>} ending to keywords and beginnings of comments */
const BY_ENDING = new Map(/** @type {[string, [string, string[]]][]} */ ([
  ...["py", "pyi", "pyx"].map((name) => [name, [PYTHON, HASH]]),
  ...["js", "mjs", "ts", "tsx", "jsx", "java", "c", "h", "cc", "cpp", "hpp", "cu", "cs", "go", "rs", "kt", "swift", "scala", "php", "proto"].map((name) => [name, [BRACES, SLASH]]),
  ...["sh", "bash", "zsh"].map((name) => [name, [SHELL, HASH]]),
  ...["yaml", "yml", "toml", "ini", "cfg", "conf", "env", "tf", "mlmodel", "mlproject", "dockerfile", "makefile"].map((name) => [name, ["true false null yes no on off", HASH]]),
  ...["json", "jsonl", "ndjson", "geojson", "ipynb"].map((name) => [name, ["true false null", []]]),
  ["sql", [SQL, ["--"]]], ["r", [R, HASH]], ["jl", [PYTHON, HASH]], ["rb", [PYTHON, HASH]], ["lua", [PYTHON, ["--"]]], ["css", ["", []]],
]));

/** The language of a file, by its name; undefined when there is none. */
function language(name) {
  const low = name.toLowerCase();
  return BY_ENDING.get(low.slice(low.lastIndexOf(".") + 1));
}

/** Cut text into pieces. @param {string} text @param {string} name of the file @returns {[string, string][]} class ("" for none) and text */
export function pieces(text, name) {
  const found = language(name);
  if (!found) return [["", text]];
  const [words, comments] = found;
  const keywords = new Set(words.split(" "));
  const comment = comments.map((mark) => `${mark.replace(/[-/]/g, "\\$&")}[^\\n]*`).join("|");
  const parts = [
    `(?<c>${[comment, comments === SLASH || words === "" ? "/\\*[^]*?(?:\\*/|$)" : ""].filter(Boolean).join("|") || "(?!)"})`,
    words === PYTHON ? '(?<s>"""[^]*?(?:"""|$)|\'\'\'[^]*?(?:\'\'\'|$)|"(?:[^"\\\\\\n]|\\\\.)*"?|\'(?:[^\'\\\\\\n]|\\\\.)*\'?)' : '(?<s>"(?:[^"\\\\\\n]|\\\\.)*"?|\'(?:[^\'\\\\\\n]|\\\\.)*\'|`(?:[^`\\\\]|\\\\.)*`)',
    "(?<n>\\b\\d[\\w.]*)",
    "(?<w>[A-Za-z_]\\w*)",
  ];
  const out = [];
  let from = 0;
  for (const match of text.matchAll(new RegExp(parts.join("|"), "g"))) {
    const kind = match.groups.c ? "comment" : match.groups.s ? "string" : match.groups.n ? "digits" : keywords.has(match[0]) ? "word" : "";
    if (!kind) continue;
    if (match.index > from) out.push(["", text.slice(from, match.index)]);
    out.push([kind, match[0]]);
    from = match.index + match[0].length;
  }
  if (from < text.length) out.push(["", text.slice(from)]);
  return out;
}
