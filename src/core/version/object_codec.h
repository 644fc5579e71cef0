#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/version/object.h"

// Bytes of an object, on disk and on the wire alike (docs/format/object.md): a version byte, then
// counted entries, values last. Equal objects have equal bytes. Unknown versions are refused by
// name; trailing bytes of a later minor version are skipped. The checksum is the container's
// (record or frame).

namespace stator {

void encode_object(const Object& object, std::string& out);
/// `out` holds views into `bytes`. kCorrupt when cut, unsorted, or against the invariants of
/// Object; `out` is empty then. kNotSupported for a later format.
[[nodiscard]] Result<void> decode_object(std::string_view bytes, Object& out);

}  // namespace stator
