// Runs an exported detector from C++ on a picture as binary PPM (ffmpeg -i photo.jpg photo.ppm writes one):
//
//   g++ -std=c++17 detect.cpp -I onnxruntime/include -L onnxruntime/lib -lonnxruntime -o detect
//   ./detect cells.onnx photo.ppm

#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;
};

/// The next number of a PPM file's head, whose lines may end in a comment.
int64_t readNumber(std::istream& file) {
  while ((file >> std::ws).peek() == '#') file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  int64_t number = 0;
  if (!(file >> number) || number < 1 || number > 65535) throw std::runtime_error("its head is damaged");
  return number;
}

Picture readPpm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic(2, ' ');
  if (!file.read(magic.data(), 2)) throw std::runtime_error("it cannot be read");
  if (magic != "P6") throw std::runtime_error("it is no binary PPM");
  Picture picture;
  picture.width = readNumber(file);
  picture.height = readNumber(file);
  if (readNumber(file) != 255) throw std::runtime_error("it has another depth than 8 bits");
  file.get();  // the single white space before the pixels
  picture.rgb.resize(3 * picture.width * picture.height);
  if (!file.read(reinterpret_cast<char*>(picture.rgb.data()), picture.rgb.size())) throw std::runtime_error("it is cut off");
  return picture;
}

/// The names in a JSON list; of escapes those of quotes and backslashes, which names are not likely to go beyond.
std::vector<std::string> namesOf(const std::string& json) {
  std::vector<std::string> names;
  bool inside = false;
  for (size_t i = 0; i < json.size(); i++) {
    if (json[i] == '"') {
      inside = !inside;
      if (inside) names.emplace_back();
    } else if (inside) {
      if (json[i] == '\\') i++;
      names.back() += json[i];
    }
  }
  return names;
}

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s model.onnx picture.ppm\n", arguments[0]);
    return 2;
  }
  Picture picture;
  try {
    picture = readPpm(arguments[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[2], error.what());
    return 1;
  }
  try {
    Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
    Ort::Session session(env, arguments[1], Ort::SessionOptions{});  // on Windows the path is of wchar_t
    Ort::AllocatorWithDefaultOptions allocator;
    const auto classes = session.GetModelMetadata().LookupCustomMetadataMapAllocated("classes", allocator);
    if (!classes) throw std::runtime_error("it names no classes; boxwright export writes them");
    const std::vector<std::string> names = namesOf(classes.get());

    // uint8 [batch, height, width, 3] of any size; a row a detection comes out, by falling score.
    const std::array<int64_t, 4> shape{1, picture.height, picture.width, 3};
    const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const Ort::Value images =
        Ort::Value::CreateTensor<uint8_t>(memory, picture.rgb.data(), picture.rgb.size(), shape.data(), shape.size());
    const char* in[] = {"images"};
    const char* out[] = {"boxes", "scores", "labels"};
    const std::vector<Ort::Value> found = session.Run(Ort::RunOptions{}, in, &images, 1, out, 3);
    const float* box = found[0].GetTensorData<float>();
    const float* scores = found[1].GetTensorData<float>();
    const int64_t* labels = found[2].GetTensorData<int64_t>();
    const size_t detections = found[1].GetTensorTypeAndShapeInfo().GetElementCount();
    for (size_t i = 0; i < detections; i++, box += 4) {
      const std::string& name = names.at(labels[i]);
      std::printf("%.3f %s [%.1f, %.1f, %.1f, %.1f]\n", scores[i], name.c_str(), box[0], box[1], box[2], box[3]);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[1], error.what());
    return 1;
  }
}
