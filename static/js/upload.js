/* A long pasted table goes up as a file: form fields are for short texts. */
const LONGEST = 100_000;

document.querySelector("[data-upload]")?.addEventListener("submit", (event) => {
  const { files, pasted } = event.target.elements;
  if (files.files.length || pasted.value.length <= LONGEST) return;
  const carried = new DataTransfer();
  carried.items.add(new File([pasted.value], "pasted.tsv", { type: "text/plain" }));
  files.files = carried.files;
  pasted.value = "";
});
