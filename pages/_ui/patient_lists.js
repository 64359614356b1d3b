// Reports which count was clicked. Counts are ordinary buttons, so that keys press them too.

export default function listen({ setTriggerValue }) {
  const report = (event) => {
    const count = event.target.closest("button[data-count]");
    if (count) setTriggerValue("count", count.dataset.count);
  };
  // figures say it by themselves
  const forward = (event) => setTriggerValue("count", event.detail);
  document.addEventListener("click", report);
  document.addEventListener("sts-count", forward);
  return () => {
    document.removeEventListener("click", report);
    document.removeEventListener("sts-count", forward);
  };
}
