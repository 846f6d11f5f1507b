// A drawing of compared runs as a panel of the public contract.
import { html, useMemo } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../../components/errorcard.js";
import { panel } from "../../components/panel.js";
import { Loading } from "../../components/viewers/use.js";

/** What came of questions, by their promises. */
const known = new WeakMap();

async function told(of, asked) {
  const found = await asked;
  if (!known.has(asked)) known.set(asked, { of, ...found });
  return known.get(asked);
}

/**
 * @param {Function} View of runs, columns, more, find, query, onQuery, hovered, onHover, onSelect. Keys of the address that they share: same, axes, px, py, pc
 */
export function comparing(View) {
  return panel(function Compared({ run_ids, runs, params, setParams, hovered, select, revision, compared }) {
    const of = run_ids.join();
    const asked = useMemo(compared, [of, revision]);
    const { data: answer, error, again } = useLoad(`${of} ${revision ?? ""}`, () => told(of, compared()));
    // what another drawing has asked for is there at once
    const data = known.get(asked) ?? answer;
    // runs of an address are known by their ids alone until the table has answered
    const named = useMemo(() => runs.map((run) => ({ ...run, name: data?.names.get(run.run_id) ?? run.name, deleted: Boolean(data?.gone.has(run.run_id)) })), [data, of]);
    // while other runs are being asked for, the values of the old ones would stand at the wrong names
    const ready = data?.of === of;
    return html`${error && html`<${ErrorCard} error=${error} title="The runs could not be compared" onAgain=${again} />`}
      ${!ready && !error && html`<${Loading} />`}
      ${ready && html`<${View} runs=${named} columns=${data.columns} more=${data.more} find=${compared} query=${params} onQuery=${setParams}
        hovered=${hovered.value} onHover=${(id) => { hovered.value = id; }} onSelect=${select} />`}`;
  });
}
