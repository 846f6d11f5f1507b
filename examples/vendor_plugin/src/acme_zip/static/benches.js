// How many runs each bench made, from the same endpoint as the UI's own table.
export default {
  api: 1,
  async mount(element, context) {
    const list = document.createElement("ul");
    element.append(list);
    const draw = async ({ experiment_id: id, post }) => {
      const asked = { experiment_ids: [id], group_by: ["tags.acme.bench"] };
      const { groups } = await post("api/ui/1/runs:table", asked);
      list.replaceChildren(...groups.map(({ values: [bench], count }) => {
        const item = document.createElement("li");
        item.textContent = `${bench ?? "no bench"}: ${count} ${count === 1 ? "run" : "runs"}`;
        return item;
      }));
    };
    await draw(context);
    return { update: draw, unmount: () => list.remove() };
  },
};
