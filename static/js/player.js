/* Players of recordings and voice messages: one sound at a time, speed kept for the next one, keys while one is in it:
   space plays, arrows go five seconds, < and > change the speed. A line of a transcript plays from where it was said. */
(() => {
  const SPEEDS = [1, 1.25, 1.5, 2, 0.75];
  const pad = (number) => String(Math.floor(number)).padStart(2, "0");
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
  const part = (player, name) => player.querySelector(`[data-player-${name}]`);
  let speed = 1;

  function length(player) {
    const { duration } = part(player, "sound");
    return Number.isFinite(duration) && duration > 0 ? duration : Number(player.dataset.seconds) || 0;
  }

  function draw(player) {
    const sound = part(player, "sound"), seek = part(player, "seek"), play = part(player, "play"), all = length(player);
    seek.max = Math.max(1, Math.round(all));
    if (!seek.matches(":active")) seek.value = Math.round(sound.currentTime);
    seek.setAttribute("aria-valuetext", clock(sound.currentTime));
    part(player, "time").textContent = all ? `${clock(sound.currentTime)} / ${clock(all)}` : clock(sound.currentTime);
    play.setAttribute("aria-pressed", String(!sound.paused));
    part(player, "speed").textContent = `${sound.playbackRate}×`;
    player.closest("[data-recording]")?.querySelectorAll("[data-line-at]").forEach((line, index, lines) => {
      const next = lines[index + 1] ? Number(lines[index + 1].dataset.lineAt) : Infinity;
      const isNow = sound.currentTime > 0 && sound.currentTime >= Number(line.dataset.lineAt) && sound.currentTime < next;
      line.toggleAttribute("data-now", isNow);
    });
  }

  function set(player) {
    if (player.dataset.ready) return;
    player.dataset.ready = "true";
    const sound = part(player, "sound");
    sound.controls = false;
    player.querySelectorAll("[data-player-play], [data-player-skip], [data-player-seek], [data-player-time], [data-player-speed]")
      .forEach((element) => { element.hidden = false; });
    for (const name of ["timeupdate", "play", "pause", "ended", "loadedmetadata", "ratechange", "seeked"]) {
      sound.addEventListener(name, () => draw(player));
    }
    sound.addEventListener("play", () => {
      document.querySelectorAll("[data-player-sound]").forEach((other) => { if (other !== sound) other.pause(); });
      part(player, "failed").hidden = true;
    });
    sound.addEventListener("error", () => { part(player, "failed").hidden = false; });
    draw(player);
  }

  function toggle(player) {
    const sound = part(player, "sound");
    sound.playbackRate = speed;
    if (sound.paused) { if (sound.error) sound.load(); sound.play().catch(() => { part(player, "failed").hidden = false; }); }
    else sound.pause();
  }

  function go(player, seconds) {
    const sound = part(player, "sound");
    sound.currentTime = Math.min(Math.max(0, seconds), length(player) || seconds);
    draw(player);
  }

  function hurry(player, by) {
    const sorted = [...SPEEDS].sort((a, b) => a - b), at = sorted.indexOf(speed);
    speed = by ? sorted[Math.min(sorted.length - 1, Math.max(0, at + by))] : SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    part(player, "sound").playbackRate = speed;
    draw(player);
  }

  document.addEventListener("click", (event) => {
    const line = event.target.closest("[data-player-at]");
    const player = line ? line.closest("[data-recording]")?.querySelector("[data-player]") : event.target.closest("[data-player]");
    if (!player) return;
    if (line) { const sound = part(player, "sound"); go(player, Number(line.dataset.playerAt)); if (sound.paused) toggle(player); }
    else if (event.target.closest("[data-player-play]")) toggle(player);
    else if (event.target.closest("[data-player-speed]")) hurry(player, 0);
    else {
      const skip = event.target.closest("[data-player-skip]");
      if (skip) go(player, part(player, "sound").currentTime + Number(skip.dataset.playerSkip));
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-player-seek]")) go(event.target.closest("[data-player]"), Number(event.target.value));
  });
  document.addEventListener("keydown", (event) => {
    const player = event.target.closest?.("[data-player]");
    if (!player || event.altKey || event.ctrlKey || event.metaKey) return;
    const now = part(player, "sound").currentTime;
    const deed = {
      ArrowLeft: () => go(player, now - 5), ArrowRight: () => go(player, now + 5), "<": () => hurry(player, -1), ">": () => hurry(player, 1),
      " ": event.target.matches("button") ? null : () => toggle(player),
    }[event.key];
    if (deed) { event.preventDefault(); event.stopPropagation(); deed(); }
  }, true);
  const all = () => document.querySelectorAll("[data-player]:not([data-ready])").forEach(set);
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
  all();
})();
