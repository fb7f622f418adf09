// Moves the code of a mailed link from the fragment of the address into the form, so that it stays in no history.
'use strict'

function takeCode() {
  const input = document.getElementById('code')
  if (!input || location.hash.length < 2) return
  input.value = location.hash.slice(1)
  input.parentElement.hidden = true
  history.replaceState(null, '', location.pathname)
}

addEventListener('hashchange', takeCode)
takeCode()
