package coding_test

import (
	"sync"

	"github.com/warthog618/sms/encoding/gsm7"
)

// The oracle fills its tables at first use without a lock, so each is made once and then only read.
var (
	oracleEncoder = sync.OnceValue(func() gsm7.Encoder { return gsm7.NewEncoder() })
	oracleDecoder = sync.OnceValue(func() gsm7.Decoder { return gsm7.NewDecoder() })
)

func oracleEncode(text string) ([]byte, error) {
	encoder := oracleEncoder()
	return encoder.Encode([]byte(text))
}

func oracleDecode(septets []byte) ([]byte, error) {
	decoder := oracleDecoder()
	return decoder.Decode(septets)
}
