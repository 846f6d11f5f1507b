// Moves that can be taken back, and where a rollback leads.
import { toast } from "../../components/toast.js";
import { moveAlias, moveStage } from "./registry.js";

const BACK = "taken back";

/** Point an alias elsewhere ("" for nowhere); throws when it does not stand where it is believed to. */
export async function pointAlias({ name, alias, from, to, comment }, changed) {
  await moveAlias({ name, alias, version: to, expected: from, comment });
  changed();
  const text = to ? `${alias} points to version ${to}` : `${alias} was removed from version ${from}`;
  const undo = () => takeBack([() => moveAlias({ name, alias, version: from, expected: to, comment: BACK })], `${alias} is as it was`, changed);
  toast(text, from === to ? {} : { undo });
}

/**
 * Move a version to a stage; *others* are in that stage now, for when they are archived.
 * @param {{name: string, version: string, from: string, to: string, archive: boolean, comment: string, others: string[]}} move
 */
export async function putStage({ name, version, from, to, archive, comment, others }, changed) {
  await moveStage({ name, version, stage: to, expected: from, archive, comment });
  changed();
  const back = [[version, from, to], ...(archive ? others.map((one) => [one, to, "Archived"]) : [])];
  const undo = () => takeBack(
    back.map(([one, stage, expected]) => () => moveStage({ name, version: one, stage, expected, comment: BACK })),
    `version ${version} is in ${stageName(from)} again`, changed);
  toast(`version ${version} is in ${stageName(to)}`, from === to ? {} : { undo });
}

async function takeBack(steps, done, changed) {
  try {
    for (const step of steps) await step();
    toast(done);
  } catch (error) {
    toast(`that was not taken back: ${error.message}`, { bad: true });
  }
  changed();
}

/** @param {string} stage */
export function stageName(stage) {
  return stage === "None" ? "no stage" : stage;
}

/**
 * The version that an alias goes back to; null when there is none. A second step back goes one further, and not forth again.
 * @param {{kind: string, subject: string, after: string}[]} moves the last one first
 * @param {string} alias @param {string} now where it points, "" for nowhere @param {{has: (version: string) => boolean}} there versions that are still there
 * @returns {string|null}
 */
export function aliasBefore(moves, alias, now, there) {
  const held = moves.filter((move) => move.kind === "alias" && move.subject === alias).map((move) => move.after);
  return wayBack(held).find((version) => version !== now && there.has(version)) ?? null;
}

/**
 * The version that a stage goes back to, by the rule of aliases; null when there is none.
 * @param {{kind: string, subject: string, after: string}[]} moves the last one first
 * @param {string} stage @param {string[]} now versions that are in it @param {{has: (version: string) => boolean}} there versions that are still there
 * @returns {string|null}
 */
export function stageBefore(moves, stage, now, there) {
  const held = moves.filter((move) => move.kind === "stage" && move.after === stage).map((move) => move.subject);
  return wayBack(held).find((version) => !now.includes(version) && there.has(version)) ?? null;
}

/** What held a place, the last one first, without what was taken back. @param {string[]} held the last one first */
function wayBack(held) {
  const way = [];
  for (const one of [...held].reverse()) {
    if (way.length > 1 && way.at(-2) === one) way.pop();
    else if (way.at(-1) !== one) way.push(one);
  }
  return way.reverse();
}
