// One picture of one or several cards, on white: title, name, the map as shown, and what its colours mean.

const GAP = 24, BIG = { font: "600 22px sans-serif", ink: "#1a1c24", pitch: 30 }, SMALL = { font: "15px sans-serif", ink: "#5a5e6a", pitch: 21 };

function broken(pen, text, style, width) {
  pen.font = style.font;
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && pen.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => ({ line, style }));
}

function write(pen, lines, x, y) {
  for (const { line, style } of lines) {
    pen.font = style.font;
    pen.fillStyle = style.ink;
    pen.fillText(line, x, y);
    y += style.pitch;
  }
}

const tall = (lines) => lines.reduce((sum, { style }) => sum + style.pitch, 0);

function sheet(cards) {
  const columns = Math.min(4, cards.length), width = Math.max(...cards.map((card) => card.canvas.width)), ruler = surface(1, 1).getContext("2d");
  const tiles = cards.map((card) => ({
    canvas: card.canvas,
    above: [...(card.panel.row ? broken(ruler, card.panel.row, SMALL, width) : []), ...broken(ruler, card.panel.title, BIG, width), ...broken(ruler, card.panel.name, SMALL, width)],
    below: broken(ruler, card.caption, SMALL, width),
  }));
  const rows = [];
  for (let at = 0; at < tiles.length; at += columns) {
    const row = tiles.slice(at, at + columns), head = Math.max(...row.map((tile) => tall(tile.above))) + 8;
    rows.push({ row, head, height: head + Math.max(...row.map((tile) => tile.canvas.height + 8 + tall(tile.below))) });
  }
  const paper = surface(GAP + columns * (width + GAP), GAP + rows.reduce((sum, { height }) => sum + height + GAP, 0)), pen = paper.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.textBaseline = "top";
  let y = GAP;
  for (const { row, head, height } of rows) {
    row.forEach((tile, column) => {
      const x = GAP + column * (width + GAP);
      write(pen, tile.above, x, y);
      pen.drawImage(tile.canvas, x, y + head);
      write(pen, tile.below, x, y + head + tile.canvas.height + 8);
    });
    y += height + GAP;
  }
  return paper;
}
