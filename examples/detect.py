"""Runs an exported detector from Python: python detect.py cells.onnx photo.jpg"""

import json
import sys

import numpy
import onnxruntime
import PIL.Image
import PIL.ImageOps

model, photo = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
picture = PIL.ImageOps.exif_transpose(PIL.Image.open(photo)).convert("RGB")
# uint8 [batch, height, width, 3] of any size; a row a detection comes out, by falling score.
boxes, scores, labels, pictures = session.run(None, {"images": numpy.asarray(picture)[None]})
for box, score, label in zip(boxes, scores, labels):
    print(f"{score:.3f} {classes[label]} {[round(float(side), 1) for side in box]}")
