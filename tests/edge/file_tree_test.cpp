#include "actors/edge/file_tree.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

namespace fs = std::filesystem;
using namespace ci::edge;
using ci::test::TempFolder;
using ci::test::write_file;

namespace {

std::string contents(const OpenFilePtr& file) {
  const auto bytes = file ? file->read(0, static_cast<std::size_t>(file->version().size)) : nullptr;
  return bytes ? *bytes : "(nothing)";
}

/// A folder to be served, beside something that must not be.
struct Place {
  TempFolder folder;
  fs::path root = folder.path() / "root";
  Place() {
    fs::create_directories(root / "a" / ".b");
    write_file(root / "a" / "file", "inside");
    write_file(root / "a" / ".b" / ".dot", "dot");
    write_file(folder.path() / "secret", "outside");
    fs::create_directory_symlink("a", root / "link-to-folder");
    fs::create_symlink("a/file", root / "link-to-file");
    fs::create_symlink("../secret", root / "out");
    fs::create_symlink(folder.path() / "secret", root / "absolute");
    fs::create_directory_symlink("..", root / "up");
    fs::create_symlink("loop", root / "loop");
  }
};

} // namespace

TEST_CASE("files in a folder are found, dot files too, and folders, pipes and strangers are not") {
  Place place;
  REQUIRE(::mkfifo((place.root / "pipe").c_str(), 0600) == 0);
  for (const auto links : {FileTree::Links::followed, FileTree::Links::inside}) {
    const FileTree tree(place.root, links);
    CHECK(contents(tree.open("a/file")) == "inside");
    CHECK(contents(tree.open("a/.b/.dot")) == "dot");
    for (const auto* path : {"a", "a/.b", "nothing", "a/file/more", "pipe", "loop"})
      CHECK_MESSAGE(!tree.open(path), path);
  }
  CHECK(!FileTree({}, FileTree::Links::followed).open("etc/passwd"));
  CHECK(!FileTree(place.folder.path() / "missing", FileTree::Links::followed).open("a"));
}

TEST_CASE("no path leads out of the folder") {
  Place place;
  for (const auto links : {FileTree::Links::followed, FileTree::Links::inside}) {
    const FileTree tree(place.root, links);
    for (const std::string path :
         {"../secret", "a/../../secret", "..", ".", "", "/", "/etc/passwd", "a//file", "a/./file", "a/file/",
          "./a/file", "a/..", "link-to-folder/../../secret", "//etc/passwd", "a/file/.."})
      CHECK_MESSAGE(!tree.open(path), path);
    CHECK(!tree.open(std::string("a/file\0", 7)));
    CHECK(!tree.open(std::string("a/file\0/x", 9)));
  }
}

TEST_CASE("links are followed where they are the operator's") {
  Place place;
  const FileTree tree(place.root, FileTree::Links::followed);
  CHECK(contents(tree.open("link-to-file")) == "inside");
  CHECK(contents(tree.open("link-to-folder/file")) == "inside");
  CHECK(contents(tree.open("out")) == "outside");
  CHECK(contents(tree.open("absolute")) == "outside");
}

TEST_CASE("links that lead out are not there where they must stay inside") {
  Place place;
  const FileTree tree(place.root, FileTree::Links::inside);
  CHECK(contents(tree.open("link-to-file")) == "inside");
  CHECK(contents(tree.open("link-to-folder/file")) == "inside");
  for (const auto* path : {"out", "absolute", "up/secret", "up/root/a/file"})
    CHECK_MESSAGE(!tree.open(path), path);
}

TEST_CASE("every version has a validator of its own") {
  Place place;
  const auto file = place.root / "a" / "file";
  const FileTree by_inode(place.root, FileTree::Links::inside);
  const FileTree by_content(place.root, FileTree::Links::inside, FileTree::Etag::by_content);
  const auto tag = [](const FileTree& tree) { return tree.open("a/file")->version().etag; };
  const auto first = tag(by_inode), first_content = tag(by_content);
  CHECK(first == tag(by_inode));
  CHECK(first.size() > 4);
  CHECK(first.front() == '"');
  CHECK(first.back() == '"');
  // Written anew with the same bytes at another time: the same picture, another version of a file.
  write_file(place.root / "new", "inside");
  fs::last_write_time(place.root / "new", fs::last_write_time(file) + std::chrono::milliseconds(5));
  fs::rename(place.root / "new", file);
  CHECK(tag(by_inode) != first);
  CHECK(tag(by_content) == first_content);
  write_file(file, "beside");
  CHECK(tag(by_content) != first_content);
}

TEST_CASE("what has become shorter is not read, and what was deleted still is") {
  Place place;
  const FileTree tree(place.root, FileTree::Links::inside);
  const auto open = tree.open("a/file");
  fs::remove(place.root / "a" / "file");
  CHECK(*open->read(2, 3) == "sid");
  CHECK(!open->read(4, 3));
  CHECK(!open->read(100, 1));
}
