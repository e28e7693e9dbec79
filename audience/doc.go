// Package audience owns the people: the register of contacts and its import,
// the places they come from, the schemes they may be entitled to, the rules
// that pick them for a campaign, and the list of those who said stop.
//
// Invariants:
//
//   - Unknown is NULL and never a default. A rule has three answers, TRUE,
//     FALSE and NULL; NULL means that what is known does not decide it, and is
//     counted and targeted apart from the other two.
//   - A rule reaches PostgreSQL as parameters and as SQL text that this package
//     wrote itself; no character of a rule becomes SQL.
//   - A suppression is keyed by a keyed hash of the number, so that it outlives
//     the erasure of the person. Rows are lifted, never deleted, and one is in
//     force at most for each number, scope and purpose.
//   - The tables contact, import, place_state, place_district and suppression
//     are written here only; what others must write in their own transaction is
//     offered on a transaction (Suppress, Lift).
package audience
