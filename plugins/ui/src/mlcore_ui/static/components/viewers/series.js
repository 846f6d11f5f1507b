// Images that are one thing through steps, told by their names.

// images/loss map+step+12+timestamp+1700000000000+<uuid>.png, or with % as other versions of MLflow have it
const LOGGED = /^(.*?)([+%])step\2(-?\d+)\2timestamp\2(\d+)\2/;
// sample_step_12.png, epoch-3.png, frame007.png
const COUNTED = /^(.*?)[-_ .]?(?:step|epoch|iter|iteration|it|frame)?[-_ =]?(\d+)\.([a-z]+)$/i;

/** What the name of an image tells. @param {string} name @returns {{key: string, step: number, time: number}|null} */
export function stepOf(name) {
  const logged = LOGGED.exec(name);
  if (logged) return { key: logged[1].replace(/#/g, "/"), step: Number(logged[3]), time: Number(logged[4]) };
  const counted = COUNTED.exec(name);
  return counted ? { key: `${counted[1]}.${counted[3].toLowerCase()}`, step: Number(counted[2]), time: 0 } : null;
}

const IMAGE = /\.(png|jpe?g|gif|webp|avif|bmp|svg)$/i;

/** The series of images in a folder, those of most steps first. @param {import("./place.js").ShownFile[]} inside */
export function seriesIn(inside) {
  const byKey = new Map();
  for (const one of inside) {
    const at = !one.is_dir && IMAGE.test(one.name) && stepOf(one.name);
    if (at) byKey.set(at.key, [...(byKey.get(at.key) ?? []), { path: one.path, name: one.name, step: at.step, time: at.time }]);
  }
  return [...byKey].filter(([, images]) => images.length > 1).sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))
    .map(([key, images]) => ({ key: key.replace(/\.[a-z]+$/, ""), images: images.sort((a, b) => a.step - b.step || a.time - b.time || (a.path < b.path ? -1 : 1)) }));
}

/**
 * The images that a file is one of, by steps; null when there is no other.
 * @param {import("./place.js").ShownFile} file with what lies beside it
 */
export function seriesOf(file) {
  const own = stepOf(file.name);
  if (!own) return null;
  const others = (file.beside ?? []).filter((one) => !one.is_dir).map((one) => ({ ...one, at: stepOf(one.name) })).filter((one) => one.at?.key === own.key);
  if (others.length < 2) return null;
  others.sort((a, b) => a.at.step - b.at.step || a.at.time - b.at.time || (a.path < b.path ? -1 : 1));
  return { key: own.key.replace(/\.[a-z]+$/, ""), images: others.map(({ path, name, at }) => ({ path, name, step: at.step, time: at.time })) };
}
