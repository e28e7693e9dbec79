// Command bench measures a whole campaign end to end, as operators run it: a message centre simulator, the server, its
// PostgreSQL and its Redis are processes of their own, and PostgreSQL keeps what it acknowledges.
//
// For each size it makes a fresh home, imports that many people, plans, launches, waits for the last receipt and takes the
// delivery report, and beside each it has PostgreSQL do the same work alone. It ends with status 1 when anything does not
// add up, however fast it was.
//
// How to read the figures:
//   - Messages a second count from the acknowledgement of the launch to the sight of state done, which is after the last
//     receipt is settled. Nothing is subtracted: neither the first hint's way through Redis nor the wait of the last poll.
//   - "first after" and "tail" say how much of that time the smallest runs spend on what does not grow: until the first
//     message was seen to leave, and from when none was left to send.
//   - Freezing is the whole call that launches, the forecast included that it keeps.
//   - CPU is what the kernel counts for a process and its children, for PostgreSQL all its processes, also those that have
//     ended. It is kept in hundredths of a second, so that small sizes are coarse. "others" is what the rest of the
//     machine used meanwhile, this command included: where it is not small, the rates are not to be trusted.
//   - Memory is the most that the program ever had resident, by phase where the kernel lets its mark be reset.
package main
