'use strict'
const at = id => document.getElementById(id), make = tag => document.createElement(tag)
const zone = at('zone'), queue = [], words = {403: 'not allowed', 405: 'not allowed', 408: 'too slow',
409: 'no such directory, or it is one', 412: 'another one of that name has come', 413: 'too large',
414: 'its name is too long', 503: 'the server is busy: try again later', 507: 'no room left on the server'}
let busy, failed
const next = () => {
const job = queue.shift()
busy = !!job
if (job) job()
else if (!failed) location.reload()
}
const add = file => {
const row = make('li'), text = make('span'), bar = make('progress'), stop = make('button')
let request, over, fresh
const end = (word, wrong) => {
if (over) return
over = 1
failed ||= wrong
text.textContent = file.name + ': ' + word
bar.remove()
stop.remove()
if (request) next()
}
const send = (method, loaded, body) => {
request = new XMLHttpRequest
request.open(method, './' + encodeURIComponent(file.name))
request.onload = () => loaded(request.status)
request.onerror = () => end('the connection ended: too large, or the server has gone', 1)
request.onabort = () => end('cancelled')
request.upload.onprogress = e => { if (e.total) bar.value = e.loaded / e.total }
if (fresh) request.setRequestHeader('If-None-Match', '*')
request.send(body)
}
text.textContent = file.name + ' '
stop.textContent = 'Cancel'
bar.value = 0
stop.onclick = () => request ? request.abort() : end('cancelled')
row.append(text, bar, ' ', stop)
at('list').append(row)
queue.push(() => {
if (over) return next()
try {
send('HEAD', found => {
fresh = found != 200
if (!fresh && !confirm(file.name + ' is there already. Replace it?')) return end('left as it was')
send('PUT', status => status < 300 ? end('done') : end(words[status] || 'failed with status ' + status, 1), file)
})
} catch {
end('its name cannot be sent', 1)
}
})
}
const take = files => {
for (const file of files) add(file)
if (!busy && queue.length) { failed = 0; next() }
}
at('files').onchange = e => { take(e.target.files); e.target.value = '' }
ondragover = e => { e.preventDefault(); zone.className = 'over' }
ondragleave = () => { zone.className = '' }
ondrop = e => { e.preventDefault(); zone.className = ''; take(e.dataTransfer.files) }
onbeforeunload = e => { if (busy) e.preventDefault() }
zone.hidden = false
