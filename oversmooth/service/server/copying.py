"""The script of the button that copies an address: the server allows scripts of the page by their hash alone."""

from __future__ import annotations

from typing import Final

# The browser alone knows the whole address. Without https, browsers have only the old way to the clipboard.
SCRIPT: Final = """
for (const button of document.querySelectorAll(".copy-link")) button.onclick = async () => {
  const address = window.location.href
  let copied = true
  try {
    await navigator.clipboard.writeText(address)
  } catch {
    const box = document.createElement("textarea")
    box.value = address
    document.body.append(box)
    box.select()
    copied = document.execCommand("copy")
    box.remove()
  }
  button.textContent = copied ? "Copied" : "Copy it from the address bar"
  setTimeout(() => { button.textContent = "Copy link" }, 3000)
}
"""
