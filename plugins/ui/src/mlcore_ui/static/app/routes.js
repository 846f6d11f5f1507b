// Every page, by the shape of its path below /ui. Modules are loaded when their page is shown.

/** @typedef {{pattern: RegExp, names: string[], load: () => Promise<{default: Function}>, section: string}} Route */

/** @type {[string, () => Promise<{default: Function}>, string][]} path, module, section of the navigation */
const PAGES = [
  ["", () => import("../pages/home.js"), ""],
  ["experiments", () => import("../pages/experiments.js"), "experiments"],
  ["experiments/:ids", () => import("../pages/explorer/explorer.js"), "experiments"],
  ["runs/:id", () => import("../pages/run/run.js"), "experiments"],
  ["runs/:id/:tab", () => import("../pages/run/run.js"), "experiments"],
  ["runs/:id/:tab/*rest", () => import("../pages/run/run.js"), "experiments"],
  ["models", () => import("../pages/models/models.js"), "models"],
  ["models/:name", () => import("../pages/models/model.js"), "models"],
  ["models/:name/:version", () => import("../pages/models/version.js"), "models"],
  ["plugins/:id", () => import("../pages/extension.js"), "plugins"],
  ["plugins/:id/*rest", () => import("../pages/extension.js"), "plugins"],
  ["about", () => import("../pages/about.js"), "about"],
];

const ROUTES = PAGES.map(([path, load, section]) => ({ parts: path ? path.split("/") : [], load, section }));

/**
 * The page of a path.
 * @param {string} path @returns {{load: Function, params: Record<string, string>, section: string}|null}
 */
export function match(path) {
  const asked = path ? path.split("/") : [];
  for (const { parts, load, section } of ROUTES) {
    const params = {};
    const fits = parts.every((part, at) => {
      if (part.startsWith("*")) { params[part.slice(1)] = asked.slice(at).join("/"); return asked.length > at; }
      if (part.startsWith(":")) { params[part.slice(1)] = asked[at]; return Boolean(asked[at]); }
      return part === asked[at];
    });
    const open = parts.at(-1)?.startsWith("*");
    if (fits && (open || asked.length === parts.length)) return { load, params, section };
  }
  return null;
}
