"""Writes files of weights with Python's own torch and numpy, and beside each what they hold, for pickle-python.test.ts.

usage: python torch-files.py FOLDER
Each FOLDER/NAME has a FOLDER/NAME.json: tensors by name as [dtype, shape, values]; NaN and infinities as text.
FOLDER/refused has files that hold something else; reading one in Python would make FOLDER/executed.
"""
import collections
import json
import math
import pathlib
import pickle
import sys

import numpy as np
import torch

folder = pathlib.Path(sys.argv[1])


def values(array):
    flat = np.ascontiguousarray(array).reshape(-1).tolist()
    return [v if not isinstance(v, float) or math.isfinite(v) else str(v) for v in flat]


widened = {"float16": "float32", "bfloat16": "float32", "int16": "int32", "uint16": "int32"}


def expectation(tensors):
    rows = {}
    for name, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor):
            dtype = str(tensor.dtype).removeprefix("torch.")
            array = tensor.detach()
            array = (array.float() if dtype in ("float16", "bfloat16") else array).numpy()
        else:
            dtype, array = tensor.dtype.name, tensor
        rows[name] = [widened.get(dtype, dtype), list(array.shape), values(array)]
    return rows


def write(name, save, tensors):
    save(folder / name)
    (folder / f"{name}.json").write_text(json.dumps(expectation(tensors)))


torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(4, 2, dtype=torch.float64))
state = model.state_dict()
shared = torch.arange(24.0)
odd = collections.OrderedDict(
    half=torch.randn(5).half(),
    brain=torch.randn(5).bfloat16(),
    short=torch.tensor([-5, 5], dtype=torch.int16),
    unsigned=torch.tensor([65535], dtype=torch.uint16),
    words=torch.tensor([2**32 - 1], dtype=torch.uint32),
    flags=torch.tensor([True, False]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    limits=torch.tensor([math.inf, -math.inf, math.nan, -0.0]),
    parameter=torch.nn.Parameter(torch.ones(2)),
    transposed=shared.reshape(4, 6).t(),
    tied=shared.reshape(4, 6),
    sliced=shared.reshape(2, 3, 4)[:, 1:, ::2],
    expanded=torch.ones(1).expand(3, 2),
    channels_last=torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
)
meta = {"device": torch.device("cuda:1"), "size": torch.Size([1, 2]), "type": torch.float16, "score": np.float64(0.5)}
optimizer = torch.optim.AdamW(model.parameters())
model.double()(torch.zeros(1, 3, 6, 6).double()).sum().backward()
optimizer.step()
model.float()[2].double()
state = model.state_dict()

for legacy in (False, True):
    kind = "legacy" if legacy else "zip"

    def torch_save(value):
        return lambda path: torch.save(value, path, _use_new_zipfile_serialization=not legacy)

    write(f"model-{kind}.pth", torch_save(state), state)
    write(f"odd-{kind}.pth", torch_save({"state_dict": odd, "meta": meta}), odd)
    checkpoint = {"model": state, "optimizer": optimizer.state_dict(), "epoch": 3, "rng": torch.get_rng_state()}
    write(f"training-{kind}.pth", torch_save(checkpoint), state)
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    write(f"parallel-{kind}.pth", torch_save({"state_dict": parallel, "best": 0.5}), state)
    pickles = range(2, 6)
    for protocol in pickles:

        def by_protocol(path, protocol=protocol):
            torch.save(odd, path, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)

        write(f"odd-{kind}-{protocol}.pth", by_protocol, odd)

arrays = {
    "rows": np.arange(12, dtype="f4").reshape(3, 4),
    "columns": np.asfortranarray(np.arange(12, dtype="f8").reshape(3, 4)),
    "big": np.arange(3, dtype=">i4"),
    "half": np.linspace(0, 1, 5).astype("f2"),
    "scalar": np.array(7, dtype="i8"),
    "flags": np.array([True, False]),
    "long": np.random.default_rng(1).normal(size=50_000).astype("f4"),
    "empty": np.zeros((0, 2), "f4"),
    "view": np.arange(12, dtype="u1").reshape(3, 4)[:, ::2],
}
for protocol in range(1, 6):

    def dump(path, protocol=protocol):
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "x", "score": np.float32(0.5)}, protocol))

    write(f"arrays-{protocol}.pkl", dump, arrays)

refused = folder / "refused"
refused.mkdir()


class Trap:
    def __reduce__(self):
        return (pathlib.Path.touch, (folder / "executed",))


torch.save({"state_dict": state, "x": Trap()}, refused / "trap-zip.pth")
torch.save({"state_dict": state, "x": Trap()}, refused / "trap-legacy.pth", _use_new_zipfile_serialization=False)
(refused / "trap.pkl").write_bytes(pickle.dumps({"model": arrays, "x": Trap()}))
torch.save(torch.nn.Linear(2, 2), refused / "model.pth")
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), refused / "script.pth")
torch.save({"a": torch.ones(2).to_sparse()}, refused / "sparse.pth")
torch.save({"a": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)}, refused / "quantized.pth")
torch.save({"a": torch.ones(2, dtype=torch.complex64)}, refused / "complex.pth")
(refused / "objects.pkl").write_bytes(pickle.dumps({"a": np.array([None, "x"], dtype=object)}))
np.savez(refused / "arrays.npz", a=np.ones(2))
