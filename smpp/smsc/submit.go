package smsc

import (
	"cmp"
	"time"

	"pukar/smpp/pdu"
)

// The questions that are asked of a message's hash.
const (
	askFate = iota + 1
	askRefuse
	askThrottle
	askSilent
	askStop
	askStopText
	askJitter
	askCode
)

// Network error codes that operators use for a handset that cannot be reached (absent subscriber) and for failures (unknown
// subscriber, illegal subscriber, equipment without SMS, memory exceeded, system failure).
const codeAbsent = 27

var failureCodes = [...]uint16{1, 9, 21, 32, 34}

// cut says what is to happen to the line after a submit.
type cut uint8

const (
	cutNot cut = iota
	cutBefore
	cutAfter
)

// submit takes one submit_sm: answers it into s.answers, and queues its receipt in s.fresh. Centre.mu is held.
func (c *Centre) submit(s *session, h pdu.Header, body []byte) cut {
	m := &s.submit
	now, wall := s.now, s.wall
	c.stats.Submits++
	c.rate.count(now)
	if err := m.Decode(body); err != nil {
		c.stats.ProtocolErrors++
		c.refuse(s, h, malformed(err), m)
		return cutNot
	}
	payload := m.ShortMessage
	if len(payload) == 0 {
		payload, _ = pdu.FindTLV(m.TLVs, pdu.TagMessagePayload)
	}
	hash := hashBytes(hashBytes(k2, m.Destination), payload)
	if status := c.judge(s, m, hash); status != pdu.StatusOK {
		c.refuse(s, h, status, m)
		return cutNot
	}
	validity, err := parseTime(m.ValidityPeriod, wall)
	if err != nil {
		c.refuse(s, h, pdu.StatusInvalidValidity, m)
		return cutNot
	}
	c.nextID++
	id := c.nextID
	c.count(m, hash, payload)
	d := c.fate(m, hash^mix(c.opts.Seed), payload, validity, now)
	d.id, d.submitted = id, c.minute.at(wall)
	s.ident = c.responseID(s.ident[:0], id)
	if c.journal != nil {
		fate := ""
		if d.state != pdu.StateUnknown {
			fate = d.state.String()
		}
		c.journal.write(wall, s.account.systemID, m, s.ident, pdu.StatusOK, fate)
	}
	c.statuses[pdu.StatusOK]++
	if wanted(m.RegisteredDelivery, d.state) {
		s.fresh = append(s.fresh, d)
		if c.opts.DuplicateReceipts {
			s.fresh = append(s.fresh, d)
		}
	}
	c.answerPhone(s, m, hash, &d)
	drop := c.drop()
	if drop == cutBefore {
		return cutBefore
	}
	if chance(hash^c.opts.Seed, askSilent) < c.opts.SilentRatio {
		c.stats.Silent++
		return drop
	}
	if c.opts.CollidingSequence {
		if len(s.lastSubmits) >= 1000 {
			s.lastSubmits = append(s.lastSubmits[:0], s.lastSubmits[500:]...)
		}
		s.lastSubmits = append(s.lastSubmits, h.Sequence)
	}
	resp := pdu.SubmitSMResp{MessageID: string(s.ident)}
	s.answers = resp.Append(s.answers, pdu.StatusOK, h.Sequence)
	s.answered++
	return drop
}

func (c *Centre) refuse(s *session, h pdu.Header, status pdu.Status, m *pdu.SubmitSM) {
	if status == pdu.StatusThrottled {
		c.stats.Throttled++
	} else {
		c.stats.Refused++
	}
	c.statuses[status]++
	if c.journal != nil {
		c.journal.write(s.wall, s.account.systemID, m, nil, status, "")
	}
	s.answers = pdu.AppendHeaderOnly(s.answers, pdu.SubmitSMRespID, status, h.Sequence)
	s.answered++
}

// judge says with which status a message is answered.
func (c *Centre) judge(s *session, m *pdu.SubmitSM, hash uint64) pdu.Status {
	o := &c.opts
	switch {
	case o.Window > 0 && int(s.unanswered.Load())+s.answered >= o.Window:
		return pdu.StatusThrottled
	case o.ThrottleRatio > 0 && chance(uint64(c.stats.Submits)^o.Seed, askThrottle) < o.ThrottleRatio:
		return pdu.StatusThrottled
	case len(m.Source) > pdu.MaxAddress:
		return pdu.StatusInvalidSource
	case !dialable(m.Destination):
		return pdu.StatusInvalidDestination
	case len(m.ShortMessage) > pdu.MaxShortMessage:
		return pdu.StatusInvalidMessageLength
	case o.RefuseRatio > 0 && chance(hash^o.Seed, askRefuse) < o.RefuseRatio:
		return o.RefuseStatus
	}
	if o.RequireDLT {
		for _, tag := range [...]uint16{pdu.TagDLTEntity, pdu.TagDLTTemplate} {
			if v, _ := pdu.FindTLV(m.TLVs, tag); len(v) == 0 {
				return o.DLTStatus
			}
		}
	}
	if _, err := parseTime(m.ScheduleTime, s.wall); err != nil {
		return pdu.StatusInvalidSchedule
	}
	// Last, so that what is refused for itself uses up nothing of the rate.
	if o.ThrottleAbove > 0 && !s.account.limit.allow(s.now, o.ThrottleAbove) {
		return pdu.StatusThrottled
	}
	return pdu.StatusOK
}

// count counts an accepted part.
func (c *Centre) count(m *pdu.SubmitSM, hash uint64, payload []byte) {
	c.stats.Accepted++
	c.stats.Bytes += int64(len(payload))
	if firstPart(m) {
		c.stats.Messages++
	}
	if c.seen != nil {
		was, remembered := c.seen.add(hash)
		if was {
			c.stats.Duplicates++
		}
		c.stats.DuplicatesPart = c.stats.DuplicatesPart || !remembered
	}
	if c.stopped.n > 0 && c.stopped.has(hashBytes(0, m.Destination)) {
		c.stats.AfterStop++
	}
}

// fate deals out what becomes of a message. The state is StateUnknown where it never gets a receipt.
func (c *Centre) fate(m *pdu.SubmitSM, hash uint64, payload []byte, validity, now time.Duration) delivery {
	o := &c.opts
	delay := o.ReceiptDelay
	if o.ReceiptDelayJitter > 0 {
		delay += time.Duration(chance(hash, askJitter) * float64(o.ReceiptDelayJitter))
	}
	if !o.ReceiptBeforeResponse {
		delay += o.ResponseDelay
	}
	d := delivery{due: now + delay}
	if o.ReceiptBeforeResponse {
		d.due = now
	}
	d.source.set(m.SourceTON, m.SourceNPI, m.Source)
	d.dest.set(m.DestTON, m.DestNPI, m.Destination)
	if m.DataCoding <= pdu.DataCodingASCII && m.ESMClass&pdu.ESMUserDataHeader == 0 {
		d.textLength = byte(copy(d.text[:], payload))
	}
	u := chance(hash, askFate)
	switch {
	case m.ValidityPeriod != "" && validity < delay:
		d.state, d.failure, d.due = pdu.StateExpired, codeAbsent, now+max(0, validity)
	case u < o.DeliverRatio:
		d.state = pdu.StateDelivered
	case u < o.DeliverRatio+o.FailRatio:
		d.state = pdu.StateUndeliverable
		d.failure = cmp.Or(o.FailCode, failureCodes[int(chance(hash, askCode)*float64(len(failureCodes)))])
	case u < o.DeliverRatio+o.FailRatio+o.ExpireRatio:
		d.state, d.failure = pdu.StateExpired, codeAbsent
	default:
		d.state = pdu.StateUnknown
	}
	switch d.state {
	case pdu.StateDelivered:
		c.stats.Delivered++
	case pdu.StateUndeliverable:
		c.stats.Failed++
	case pdu.StateExpired:
		c.stats.Expired++
	}
	if !wanted(m.RegisteredDelivery, d.state) {
		c.stats.NoReceipt++
	}
	return d
}

// answerPhone has a handset that got the message answer it with a STOP text, for some of the handsets.
func (c *Centre) answerPhone(s *session, m *pdu.SubmitSM, hash uint64, d *delivery) {
	if c.opts.StopRatio <= 0 || d.state != pdu.StateDelivered || !firstPart(m) {
		return
	}
	phone := hashBytes(c.opts.Seed, m.Destination)
	if chance(phone, askStop) >= c.opts.StopRatio {
		return
	}
	text := c.opts.StopTexts[int(chance(hash, askStopText)*float64(len(c.opts.StopTexts)))]
	coding, octets, err := encodeText(text)
	if err != nil {
		return
	}
	to := c.opts.ReplyTo
	if to == "" {
		to = m.Source
	}
	c.stats.Stops++
	key := c.register(&inbound{from: m.Destination, to: to, coding: coding, text: octets})
	s.fresh = append(s.fresh, delivery{due: d.due + c.opts.StopDelay, inbound: key})
}

// drop says whether the line is to be cut at this submit.
func (c *Centre) drop() cut {
	hit := func(n int) bool {
		return n > 0 && (c.stats.Submits == int64(n) || c.opts.DropRepeat && c.stats.Submits%int64(n) == 0)
	}
	switch {
	case hit(c.opts.DropBeforeResponse):
		c.stats.Dropped++
		return cutBefore
	case hit(c.opts.DropAfterResponse):
		c.stats.Dropped++
		return cutAfter
	}
	return cutNot
}

// wanted says whether registered_delivery asks for a receipt with this state (SMPP 3.4, section 5.2.17; 3 is SMPP 5.0's).
func wanted(registered byte, state pdu.MessageState) bool {
	if state == pdu.StateUnknown {
		return false
	}
	switch registered & pdu.RegisteredMask {
	case pdu.RegisteredBoth:
		return true
	case pdu.RegisteredFailure:
		return state != pdu.StateDelivered
	case pdu.RegisteredMask:
		return state == pdu.StateDelivered
	}
	return false
}

// firstPart says whether a part is the only or first one of its message, by its user data header (3GPP TS 23.040, section
// 9.2.3.24.1 and .8).
func firstPart(m *pdu.SubmitSM) bool {
	b := m.ShortMessage
	if m.ESMClass&pdu.ESMUserDataHeader == 0 || len(b) < 6 {
		return true
	}
	switch {
	case b[1] == 0 && b[2] == 3:
		return b[5] == 1
	case b[1] == 8 && b[2] == 4 && len(b) > 6:
		return b[6] == 1
	}
	return true
}

// dialable says whether a destination is a number.
func dialable(s string) bool {
	if len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	if len(s) < 3 || len(s) > pdu.MaxAddress {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
