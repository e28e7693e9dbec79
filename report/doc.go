// Package report turns a run's ledger into delivery reports and summaries. It only reads.
//
// What holds:
//
//   - A report is of one moment: everything is read in one REPEATABLE READ transaction, so that rows, totals and the run's own counts
//     agree. The moment is the manifest's as_of.
//   - Every recipient of the run has exactly one row, in order of seq; with excluded people asked for, each of those has one behind them.
//   - The outcome is derived from the same facts as the run's totals (campaign.Facts), never guessed from submissions or receipts.
//   - Memory does not grow with the run: recipients are read by the ten thousand, one lot being written while the next is read.
//   - A part that was recorded twice, or whose receipt came twice, is shown and paid for once.
//   - Every cell that a spreadsheet could take for a formula is disarmed.
package report
