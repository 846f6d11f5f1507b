// A drawing of compared runs as a panel of the public contract.
import { html, useMemo } from "../../lib/html.js";
import { useLoad } from "../../lib/load.js";
import { ErrorCard } from "../../components/errorcard.js";
import { panel } from "../../components/panel.js";

/**
 * @param {Function} View of runs, columns, more, query, onQuery, hovered, onHover, onSelect. Keys of the address that they share: same, axes, px, py, pc
 */
export function comparing(View) {
  return panel(function Compared({ run_ids, runs, params, setParams, hovered, select, revision, compared }) {
    const of = run_ids.join();
    const { data, error, again } = useLoad(`${of} ${revision ?? ""}`, async () => ({ of, ...(await compared()) }));
    // runs of an address are known by their ids alone until the table has answered
    const named = useMemo(() => runs.map((run) => ({ ...run, name: data?.names.get(run.run_id) ?? run.name, deleted: Boolean(data?.gone.has(run.run_id)) })), [data, of]);
    // while other runs are being asked for, the values of the old ones would stand at the wrong names
    const ready = data?.of === of;
    return html`${error && html`<${ErrorCard} error=${error} title="The runs could not be compared" onAgain=${again} />`}
      ${!ready && !error && html`<p class="muted">Loading…</p>`}
      ${ready && html`<${View} runs=${named} columns=${data.columns} more=${data.more} query=${params} onQuery=${setParams}
        hovered=${hovered.value} onHover=${(id) => { hovered.value = id; }} onSelect=${select} />`}`;
  });
}
