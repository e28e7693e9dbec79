package campaign

import "time"

// RedoRule says which results are tried again, and when.
type RedoRule struct {
	OnUnknown string // hold | resend
}

// answer is a class of results that ask for the same patience.
type answer uint8

// The classes of answers. settled asks for nothing more.
const (
	settled answer = iota
	notSent
	throttled
	systemError
	submitFailed
	receiverTemporary
	queueFull
	inDoubt
	answerCount
)

// patience is what follows from a class of answers: a wait before each further attempt, and the end of it.
type patience struct {
	free  bool            // no attempt: tried again after the only wait, however often it comes
	waits []time.Duration // before the second attempt, the third …; after the last one the answer stands
}

// redoPatience is the one place that says how long Pukar insists within a run. A part counts its attempts
// whatever their answers were, so that answers that change do not begin anew. What gateways do: jasmin tries
// a system error twice after 30 s and a full queue twice after 3 min, courier anything three times after 5 and
// 10 min. The pauses of a bind whose centre throttles are smpp's and come on top.
var redoPatience = [answerCount]patience{
	settled:           {},
	notSent:           {free: true, waits: []time.Duration{0}},
	throttled:         {free: true, waits: []time.Duration{time.Second}},
	systemError:       {waits: []time.Duration{5 * time.Second, 30 * time.Second, 3 * time.Minute}},
	submitFailed:      {waits: []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}},
	receiverTemporary: {waits: []time.Duration{30 * time.Second, 3 * time.Minute, 15 * time.Minute}},
	queueFull:         {waits: []time.Duration{time.Minute, 3 * time.Minute, 10 * time.Minute, 30 * time.Minute}},
	inDoubt:           {waits: []time.Duration{5 * time.Second, 30 * time.Second, 3 * time.Minute}},
}

// transientAnswers are the answers by which a centre refuses for now (command_status, SMPP 3.4 section 5.1.3).
// One that is not here counts as a system error.
var transientAnswers = map[uint32]answer{
	0x08: systemError,       // ESME_RSYSERR
	0x14: queueFull,         // ESME_RMSGQFUL, often of one destination only
	0x45: submitFailed,      // ESME_RSUBMITFAIL
	0x64: receiverTemporary, // ESME_RX_T_APPN
	0x66: receiverTemporary, // ESME_RX_R_APPN
	0xFE: receiverTemporary, // ESME_RDELIVERYFAILURE
	0xFF: systemError,       // ESME_RUNKNOWNERR
}

// answerOf puts a result into its class.
func (rule RedoRule) answerOf(r PartResult) answer {
	switch r.Result {
	case NotSent:
		return notSent
	case Throttled:
		return throttled
	case Transient:
		if class, ok := transientAnswers[r.Status]; ok {
			return class
		}
		return systemError
	case InDoubt:
		if rule.OnUnknown == "resend" {
			return inDoubt
		}
	}
	return settled
}

// next decides what follows from a result: when to try again, and with how many tries behind it.
func (rule RedoRule) next(r PartResult) (wait time.Duration, tries int16, again bool) {
	p := redoPatience[rule.answerOf(r)]
	switch {
	case p.free:
		return p.waits[0], r.Tries, true
	case int(r.Tries) < len(p.waits):
		return p.waits[r.Tries], r.Tries + 1, true
	}
	return 0, 0, false
}

// facts is what a result says of its recipient: nothing while next has it tried again.
func (rule RedoRule) facts(r PartResult) Facts {
	f := Facts{Parts: uint8(r.Parts)}
	if _, _, again := rule.next(r); again {
		return f
	}
	set := Part(int(r.Part))
	switch r.Result {
	case Accepted:
		f.Accepted = set
	case Refused, Transient:
		f.Refused = set
	case InDoubt:
		f.Unknown = set
	}
	return f
}
