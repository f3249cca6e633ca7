"""Windows that never freeze: what a client's mailbox holds, brought to the thread of a window.

    from indipyclient.gui.tk import deliver      # or gui.qt, gui.gtk: the same function for each toolkit

    delivery = deliver(mailbox, window, on_batch, rate=25)

From then on ``on_batch(items, snapshot)`` is called in the window's own thread with all that has
come since the last call, oldest first, and the newest snapshot (None before the first). That
happens at most `rate` times a second, and the last item is never left waiting. It ends with the
window, by ``delivery.stop()``, or with the client.

* `deliver` is called in the window's thread, and so is everything else here. The client's thread
  only puts into the mailbox; it never calls the toolkit, and holds no object of it.
* After each call the window has at least as long to itself as the call has taken. `on_batch` is
  never called inside itself, not even while a dialog that it has opened runs a loop of its own.
* A batch is all that waits: at most `rxque_limit` items of a `QueClient`, or `keep` of the mailbox.
  What a window shows is in `snapshot`; with ``snapshot.changes(older)`` it draws what differs.
* What `on_batch` raises is reported as the toolkit reports any error of a handler, and delivery
  goes on. A client that died of an error is reported in the same way, as a `MailboxClosed` with
  that error as its cause.
* The mailbox stays open. Items that are no `EventItem` are handed on as they are.

No module here imports a toolkit unless that very module is imported.
"""
