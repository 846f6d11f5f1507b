// One colour for one run, everywhere; told apart in both themes, and by people who do not see red or green.
const COLORS = ["#2f6fde", "#d9730d", "#0b8a5f", "#c2308f", "#7a4be0", "#0d8aa8", "#b08600", "#d13438", "#4f7d12", "#5b6475"];

/** Give colours by ids, to those that are met one after the other. @returns {(id: string) => string} */
function palette() {
  /** @type {Map<string, number>} */
  const given = new Map();
  const uses = COLORS.map(() => 0);
  return (id) => {
    let at = given.get(id);
    if (at === undefined) {
      let hash = 0;
      for (let place = 0; place < id.length; place += 1) hash = (hash * 31 + id.charCodeAt(place)) | 0;
      at = Math.abs(hash) % COLORS.length;
      const least = Math.min(...uses);
      while (uses[at] > least) at = (at + 1) % COLORS.length;
      uses[at] += 1;
      given.set(id, at);
    }
    return COLORS[at];
  };
}

/**
 * The colour of a run: by its id, unless others that were met before have that one; so of ten runs no two look alike.
 * @param {string} id @returns {string} such as "#2f6fde"
 */
export const runColor = palette();

/** The colour of a group of runs, by its values as JSON: the same in charts and table. */
export const groupColor = palette();

/** The *index*-th colour, for things without an id. */
export function color(index) {
  return COLORS[index % COLORS.length];
}
