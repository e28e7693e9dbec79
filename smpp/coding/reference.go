package coding

// Reference derives the concatenation reference of the message that a run sends to one number. key is the keyed hash of the
// number, run the identity of the run. A retry of the same message gets the same reference, so that the handset joins a part
// sent again to the parts it has; the next 65,535 runs get other references for the same number, which is far beyond the
// days for which a handset waits for missing parts. Different numbers need not differ.
func Reference(key int64, run int32) uint16 {
	// Multiplying by an odd constant and keeping the top bits spreads keys; adding the run keeps runs apart for certain.
	spread := uint64(key) * 0x9E3779B97F4A7C15
	return uint16(spread>>48) + uint16(run)
}
