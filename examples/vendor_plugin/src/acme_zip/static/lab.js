// A folder `*.lab` as a list of its readings, and one `*.readings` by its first lines; neither is fetched whole.
export default {
  api: 1,
  async mount(element, context) {
    const draw = ({ file, files }) => (file.is_dir ? listed(element, file, files) : begun(element, file, files));
    await draw(context);
    return { update: draw, unmount: () => element.replaceChildren() };
  },
};

async function listed(element, file, files) {
  const { files: inside } = await files.list(file.path);
  element.replaceChildren(...inside.map(({ path, name }) => {
    const link = document.createElement("a");
    link.href = files.href(path);
    link.textContent = name;
    const line = document.createElement("p");
    line.append(link);
    return line;
  }));
}

async function begun(element, file, files) {
  const { text, whole } = await files.text(file.path, 4096);
  const lines = document.createElement("pre");
  lines.textContent = whole ? text : `${text}…`;
  element.replaceChildren(lines);
}
