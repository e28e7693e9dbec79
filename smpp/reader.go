package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"pukar/smpp/pdu"
)

// response is an answer to a submit_sm that was read and not matched yet.
type response struct {
	sequence  uint32
	status    pdu.Status
	nack      bool
	messageID string
}

// reader is the state of the reading goroutine, and nobody else's.
type reader struct {
	responses []response
	submit    pdu.SubmitSMResp
	warned    bool // an unreadable body was logged: one of a session is enough
}

// read takes units off the connection until it ends. Responses are matched in bulk, as many as were read without waiting.
func (s *session) read() error {
	var (
		r    reader
		buf  []byte
		body []byte
		h    pdu.Header
		err  error
	)
	for {
		if len(r.responses) >= claimLimit || !s.complete() {
			if s.heardNow(&r) {
				return fmt.Errorf("%w: centre has lost our bind", ErrLine)
			}
		}
		if h, body, buf, err = pdu.ReadPDU(s.in, buf); err != nil {
			return s.readError(h, err)
		}
		switch h.ID {
		case pdu.SubmitSMRespID:
			r.submit.MessageID = ""
			// A response whose id cannot be read is a response all the same: its status is in the header.
			s.warn(&r, r.submit.Decode(body))
			r.responses = append(r.responses, response{sequence: h.Sequence, status: h.Status, messageID: r.submit.MessageID})
		case pdu.GenericNackID:
			r.responses = append(r.responses, response{sequence: h.Sequence, status: h.Status, nack: true})
		case pdu.DeliverSMID, pdu.DataSMID:
			s.heardNow(&r)
			s.warn(&r, s.receive(h, body))
		case pdu.EnquireLinkID:
			s.answer(pdu.EnquireLinkRespID, pdu.StatusOK, h.Sequence)
		case pdu.EnquireLinkRespID:
			// That something came is all that the keeper asks.
		case pdu.UnbindID:
			s.answer(pdu.UnbindRespID, pdu.StatusOK, h.Sequence)
			s.peerUnbound()
		case pdu.UnbindRespID:
			if s.unbindAnswered() {
				return ErrDraining
			}
		default:
			s.unexpected(h)
		}
	}
}

// complete reports whether the next unit lies in the buffer as a whole, so that reading it does not wait.
func (s *session) complete() bool {
	n := s.in.Buffered()
	if n < pdu.HeaderLength {
		return false
	}
	head, err := s.in.Peek(4)
	return err == nil && uint64(n) >= uint64(binary.BigEndian.Uint32(head))
}

// heardNow notes that the peer lives and matches the responses read so far. It reports whether one of them says that we are not
// bound: only a new bind mends that.
func (s *session) heardNow(r *reader) (lost bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = now
	accepted, last := 0, int64(0)
	count := func() {
		if accepted > 0 {
			s.bind.busy.accepted(accepted, s.start.Add(time.Duration(last)), now)
		}
		accepted, last = 0, 0
	}
	for i := range r.responses {
		written, outcome := s.match(&r.responses[i], now)
		switch outcome {
		case Accepted:
			accepted, last = accepted+1, max(last, written)
		case Throttled:
			count() // what was accepted before it tells the rate that the centre takes
			s.throttled(r.responses[i].status, s.start.Add(time.Duration(written)), now)
		}
		lost = lost || r.responses[i].status == pdu.StatusIncorrectBindStatus
	}
	count()
	if s.await.n == 0 && !s.closeBy.IsZero() {
		signal(s.wakeWriter)
	}
	clear(r.responses)
	r.responses = r.responses[:0]
	if len(s.settled) > 0 {
		signal(s.wakeSettler)
	}
	return lost
}

// match settles the part that a response answers, and returns when that was written and what became of it. The caller holds the mutex.
func (s *session) match(r *response, now time.Time) (written int64, outcome Outcome) {
	result := respond(r.status, r.messageID, now)
	if r.nack && r.status == pdu.StatusOK {
		result.Outcome, result.MessageID, result.Err = Unknown, "", errors.New("generic_nack with status zero")
	}
	if p, ok := s.await.take(r.sequence); ok {
		result.Took = now.Sub(s.start) - time.Duration(p.written)
		s.settled = append(s.settled, settled{send: p.send, part: p.part, result: result})
		return p.written, result.Outcome
	}
	if p, ok := s.await.late.take(r.sequence); ok {
		s.settled = append(s.settled, settled{late: p.late, part: p.part, result: result})
		return p.written, result.Outcome
	}
	// An answer to an enquire_link or unbind that the centre does not know, or to nothing of ours.
	return 0, 0
}

func (s *session) throttled(status pdu.Status, written, now time.Time) {
	if pause, started := s.bind.busy.throttled(written, now); started {
		s.log.Warn("centre throttles, submitting pauses", "status", fmt.Sprintf("0x%02X", uint32(status)), "pause", pause)
	}
}

// answer owes the peer a unit without a body.
func (s *session) answer(id pdu.ID, status pdu.Status, sequence uint32) {
	s.mu.Lock()
	over := len(s.control) > controlLimit
	if !over {
		s.owe(func(c []byte) []byte { return pdu.AppendHeaderOnly(c, id, status, sequence) })
	}
	s.mu.Unlock()
	if over {
		s.end(fmt.Errorf("%w: centre sends and does not read", ErrLine))
	}
}

// receive passes a delivery on, or answers it at once where that is not possible.
//
// A body that cannot be read is answered with ESME_RX_P_APPN: the same bytes would come back after a temporary error, for
// ever, and after a broken connection too. With too many deliveries unanswered, ESME_RX_T_APPN asks the centre to bring it again.
func (s *session) receive(h pdu.Header, body []byte) error {
	d := &Delivery{Bind: s.cfg.Name, At: time.Now(), session: s, sequence: h.Sequence, response: pdu.ResponseID(h.ID)}
	own := append(make([]byte, 0, len(body)), body...)
	var err error
	if h.ID == pdu.DataSMID {
		var data pdu.DataSM
		err = data.Decode(own)
		d.Message = fromDataSM(&data)
	} else {
		err = d.Message.Decode(own)
	}
	if err != nil {
		s.reject(d, pdu.StatusReceiverPermanent)
		return err
	}
	s.mu.Lock()
	full := s.deaf || s.bind.deliver == nil || s.unacked >= s.cfg.DeliveryLimit || s.cause != nil
	if !full {
		select {
		case s.bind.deliveries <- d:
			s.unacked++
		default:
			full = true
		}
	}
	s.mu.Unlock()
	if full {
		s.reject(d, pdu.StatusReceiverTemporary)
	}
	return nil
}

func (s *session) warn(r *reader, err error) {
	if err != nil && !r.warned {
		r.warned = true
		s.log.Warn("centre sends units that cannot be read; no more of them are logged in this session", "err", err)
	}
}

// reject answers a delivery that is not passed on.
func (s *session) reject(d *Delivery, status pdu.Status) {
	s.mu.Lock()
	over := len(s.control) > controlLimit
	s.owe(func(c []byte) []byte { return appendAck(c, d.response, status, d.sequence) })
	s.mu.Unlock()
	if over {
		s.end(fmt.Errorf("%w: centre sends and does not read", ErrLine))
	}
}

// unexpected answers a unit that has no place in a session of ours. A response is never answered, or two peers could go on for ever,
// and alert_notification and outbind have no response.
func (s *session) unexpected(h pdu.Header) {
	if pdu.IsResponse(h.ID) || h.ID == pdu.AlertNotificationID || h.ID == pdu.OutbindID {
		return
	}
	s.log.Debug("unknown request", "command", fmt.Sprintf("0x%08X", uint32(h.ID)))
	s.answer(pdu.GenericNackID, pdu.StatusInvalidCommandID, h.Sequence)
}

// peerUnbound stops the intake; the peer has a moment to answer what it was sent before.
func (s *session) peerUnbound() {
	s.refuse(ErrPeerUnbound)
	s.mu.Lock()
	if s.closeBy.IsZero() {
		s.closeBy = time.Now().Add(min(unbindGrace, s.cfg.ResponseTimeout))
	}
	s.mu.Unlock()
	signal(s.wakeKeeper)
}

func (s *session) unbindAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unbinding
}

// readError says why reading ended. Nothing can be read after a length that makes no sense, so that ends the session too.
func (s *session) readError(h pdu.Header, err error) error {
	switch {
	case errors.Is(err, pdu.ErrLength):
		s.log.Warn("length out of bounds, closing", slog.Uint64("length", uint64(h.Length)))
		return fmt.Errorf("%w: %w", ErrLine, err)
	case errors.Is(err, io.EOF):
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closeBy.IsZero() {
			return ErrPeerUnbound
		}
		return fmt.Errorf("%w: centre closed it", ErrLine)
	}
	return fmt.Errorf("%w: read: %w", ErrLine, err)
}
