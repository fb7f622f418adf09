package mongodb

import (
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// micros is a time of a user, stored as Unix microseconds: MongoDB's own dates have milliseconds. The
// zero time means never, and is left out.
type micros struct{ time.Time }

var (
	_ bson.ValueMarshaler   = micros{}
	_ bson.ValueUnmarshaler = (*micros)(nil)
	_ bson.Zeroer           = micros{}
)

func (m micros) MarshalBSONValue() (kind byte, data []byte, err error) {
	t, data, err := bson.MarshalValue(m.UnixMicro())
	return byte(t), data, err
}

func (m *micros) UnmarshalBSONValue(kind byte, data []byte) error {
	v := bson.RawValue{Type: bson.Type(kind), Value: data}
	us, ok := v.AsInt64OK()
	if !ok {
		return fmt.Errorf("a time of a user is no number of microseconds but a %s", v.Type)
	}
	m.Time = time.UnixMicro(us).UTC()
	return nil
}
