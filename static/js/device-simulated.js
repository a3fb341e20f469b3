/* The device of the demo and of tests: it answers by itself at the simulated provider, and carries no sound. What it was
   asked is kept in `said`, and a test may let it be in trouble. */
(() => {
  const told = () => document.dispatchEvent(new CustomEvent("device"));
  const names = { microphone: ["Headset", "Built-in microphone"], speaker: ["Headset", "Loudspeaker"], ringer: ["Loudspeaker", "Headset"] };
  const chosen = {};
  const say = (...words) => { device.said.push(words.join(" ")); told(); };

  const device = {
    kind: "simulated", state: "starting", trouble: "", isMuted: false, isPoor: false, isSilent: false, isLost: false, isAsked: false, said: [],
    start() { this.state = "ready"; told(); },
    async prepare() { return this.trouble; },
    answer() { say("answer"); },
    decline() { say("decline"); },
    mute(is) { this.isMuted = is; say("mute", is); },
    press(key) { say("press", key); },
    end() { Object.assign(this, { isMuted: false, isPoor: false, isSilent: false }); say("end"); },
    rejoin(id) { say("rejoin", id); },
    follow(call) { const state = call ? "talking" : "ready"; if (this.state !== state) { this.state = state; told(); } },
    async list() {
      const one = (kind) => ({ all: names[kind].map((label, index) => ({ id: String(index), label })), chosen: chosen[kind] || "0" });
      return { microphone: one("microphone"), speaker: one("speaker"), ringer: one("ringer") };
    },
    choose(kind, id) { chosen[kind] = id; say("choose", kind, id); },
    pretend(what) { Object.assign(this, what); told(); },
  };
  window.continuo.device = device;
})();
