"use strict";
(() => {
  const MOST_LIVE = 6; // browsers allow about 16 WebGL contexts a page; the oldest viewer goes first
  const live = [];

  const webgl = (() => {
    try {
      const context = document.createElement("canvas").getContext("webgl");
      if (context) context.getExtension("WEBGL_lose_context")?.loseContext();
      return Boolean(context) && typeof $3Dmol !== "undefined";
    } catch {
      return false;
    }
  })();

  function show(viewer, structure) {
    viewer.removeAllModels();
    viewer.removeAllShapes();
    const model = viewer.addModel();
    model.addAtoms(structure.atoms.map(([kind, x, y, z], index) => ({
      elem: structure.kinds[kind].element, resn: String(kind), x, y, z, serial: index, bonds: [], bondOrder: [],
    })));
    structure.kinds.forEach((kind, index) =>
      viewer.setStyle({ resn: String(index) }, { sphere: { radius: kind.radius, color: kind.colour } }));
    const place = ([, x, y, z]) => ({ x, y, z });
    for (const [a, b] of structure.bonds)
      viewer.addCylinder({ start: place(structure.atoms[a]), end: place(structure.atoms[b]), radius: 0.09, color: "#a6a6a6" });
    if (structure.cell) drawCell(viewer, structure.cell);
    for (const surface of structure.surfaces) drawSurface(viewer, surface);
  }

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

  function drawSurface(viewer, { vertices, triangles, step, bytes, colour }) {
    const places = new Int16Array(bytesOf(vertices));
    const corners = new (bytes === 4 ? Uint32Array : Uint16Array)(bytesOf(triangles));
    const vertexArr = [];
    for (let i = 0; i < places.length; i += 3)
      vertexArr.push({ x: places[i] * step, y: places[i + 1] * step, z: places[i + 2] * step });
    // the light falls on the mean direction of the triangles around a vertex, so that no edge is seen
    const normalArr = vertexArr.map(() => ({ x: 0, y: 0, z: 0 }));
    for (let i = 0; i < corners.length; i += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => vertexArr[corners[i + k]]);
      const [u, v] = [b, c].map((p) => [p.x - a.x, p.y - a.y, p.z - a.z]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (let k = 0; k < 3; k++) {
        const sum = normalArr[corners[i + k]];
        [sum.x, sum.y, sum.z] = [sum.x + n[0], sum.y + n[1], sum.z + n[2]];
      }
    }
    for (const n of normalArr) {
      const length = Math.hypot(n.x, n.y, n.z) || 1;
      [n.x, n.y, n.z] = [n.x / length, n.y / length, n.z / length];
    }
    viewer.addCustom({ vertexArr, normalArr, faceArr: Array.from(corners), color: colour, opacity: 0.85 });
  }

  function drawCell(viewer, cell) {
    const corner = (i, j, k) => ({
      x: i * cell[0][0] + j * cell[1][0] + k * cell[2][0],
      y: i * cell[0][1] + j * cell[1][1] + k * cell[2][1],
      z: i * cell[0][2] + j * cell[1][2] + k * cell[2][2],
    });
    for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      for (const [start, end] of [
        [corner(0, i, j), corner(1, i, j)], [corner(i, 0, j), corner(i, 1, j)], [corner(i, j, 0), corner(i, j, 1)],
      ]) viewer.addCylinder({ start, end, radius: 0.035, color: "#6b7280" });
    }
  }

  function look(viewer, from) {
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    if (from === "side") {
      viewer.rotate(-76, "x");
      viewer.rotate(-28, "z");
    }
    viewer.zoomTo({ model: -1 });
    // zoomTo fits the width: a wide, low stage would cut the structure off
    const box = viewer.container ?? viewer.getCanvas();
    viewer.zoom(Math.min(1, (1.25 * box.clientHeight) / box.clientWidth));
    viewer.setSlab(-500, 500); // the cell is longer than the atoms that it was fitted to
    viewer.render();
  }

  function start(figure, structures) {
    const box = figure.querySelector(".canvas");
    const viewer = $3Dmol.createViewer(box, { backgroundColor: "white", orthographic: true, disableFog: true });
    const chosen = figure.querySelector("input:checked");
    show(viewer, structures[chosen ? Number(chosen.value) : 0]);
    look(viewer, "side");
    box.dataset.ready = "yes";
    return viewer;
  }

  function stop(entry) {
    const canvas = entry.box.querySelector("canvas");
    entry.viewer.spin(false);
    canvas?.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
    canvas?.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
    entry.box.replaceChildren();
    delete entry.box.dataset.ready;
    entry.viewer = null;
  }

  function prepare(figure) {
    const structures = JSON.parse(document.getElementById(`${figure.dataset.structures}-structures`).textContent);
    const box = figure.querySelector(".canvas");
    const entry = { box, viewer: null };
    figure.classList.add("live");
    for (const part of figure.querySelectorAll("[hidden]")) part.hidden = false;

    const spin = figure.querySelector("[data-do=spin]");
    const setSpin = (on) => {
      spin.setAttribute("aria-pressed", String(on));
      entry.viewer?.spin(on ? "z" : false, 0.5);
    };
    figure.addEventListener("change", (event) => {
      if (!entry.viewer || event.target.type !== "radio") return;
      const view = entry.viewer.getView();
      show(entry.viewer, structures[Number(event.target.value)]);
      entry.viewer.setView(view);
      entry.viewer.render();
    });
    figure.addEventListener("click", (event) => {
      const what = event.target.dataset.do;
      if (!what || !entry.viewer) return;
      if (what === "spin") setSpin(spin.getAttribute("aria-pressed") !== "true");
      else if (what === "in" || what === "out") entry.viewer.zoom(what === "in" ? 1.25 : 0.8);
      else look(entry.viewer, what);
    });
    box.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: [-10, "vy"], ArrowRight: [10, "vy"], ArrowUp: [-10, "vx"], ArrowDown: [10, "vx"] }[event.key];
      if (!turn || !entry.viewer) return;
      event.preventDefault();
      entry.viewer.rotate(...turn);
      entry.viewer.render();
    });
    // the wheel scrolls the page; with Ctrl it zooms
    figure.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) event.stopPropagation();
    }, { capture: true, passive: true });

    new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting || entry.viewer) return;
      entry.viewer = start(figure, structures);
      live.push(entry);
      if (live.length > MOST_LIVE) stop(live.shift());
      setSpin(false);
    }, { rootMargin: "100px" }).observe(box);
  }

  if (webgl) document.querySelectorAll("[data-structures]").forEach(prepare);

  // what is folded on the screen is printed in full
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      one.open = true;
      opened.push(one);
    }
  });
  addEventListener("afterprint", () => {
    for (const one of opened.splice(0)) one.open = false;
  });
})();
