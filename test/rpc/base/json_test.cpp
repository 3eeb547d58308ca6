#include "rpc/base/distinct_members.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <random>
#include <vector>

using namespace mistify::rpc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using json::document;
using kind = json::node::kind;

namespace {

std::string round_trip(std::string_view text) {
  return document::parse(text).root().text();
}

/// The message of the failure that `f` must throw.
template <class F>
std::string complaint(F f) {
  try {
    f();
  } catch (const failure& e) {
    CHECK(e.code() == errc::invalid_request);
    CHECK_FALSE(e.stack().empty());
    return e.message();
  }
  return "nothing was thrown";
}

std::string refusal(std::string_view text) {
  return complaint([&] { document::parse(text); });
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

} // namespace

TEST_CASE("every kind of value is read and written back compactly") {
  const auto text = R"( { "a" : [ 1 , -2.50 , true , false , null ] , "b" : { } , "c" : [ ] , "d" : "x" } )";
  CHECK(round_trip(text) == R"({"a":[1,-2.50,true,false,null],"b":{},"c":[],"d":"x"})");
  for (const auto* scalar : {"null", "true", "false", "0", "-0", "1.0", "\"\"", "\"x\"", "[]", "{}"})
    CHECK(round_trip(scalar) == scalar);
}

TEST_CASE("numbers keep their text to the letter") {
  for (const auto* number : {"123456789012345678901234567890", "1.10", "1e2", "1E+2", "-0", "-0.0", "1e-400", "5e-324",
                             "18446744073709551615", "-9223372036854775808", "0.1234567890123456789012345678901"})
    CHECK(round_trip(number) == number);
}

TEST_CASE("numbers over the range of double are kept as text") {
  CHECK(round_trip("1e309") == "1e309");
  const auto text = R"({"a":[1e309,-1.5E+400,12],"b":"1e309 \" 1e309","c":)" + std::string(500, '9') + R"(,"d":0.25})";
  CHECK(round_trip(text) == text);
  CHECK_THAT(refusal("[1e309,01234]"), StartsWith("invalid JSON at byte 8: "));
  CHECK_THAT(refusal("[1e309,1.2.3]"), StartsWith("invalid JSON at byte 10: "));
  CHECK_THAT(refusal("[1e309,1e+]"), StartsWith("invalid JSON at byte 10: "));
  CHECK_THAT(refusal("[1e309,\"abc"), StartsWith("invalid JSON at byte 11: "));
  CHECK_THAT(refusal("[1e309,\"abc\\"), StartsWith("invalid JSON at byte "));
  for (const auto* wrong : {"1e309.5", "1e309-1", "[1e309e1]", "{\"a\":-1e999.}", "1e309 1e309"})
    CHECK_THAT(refusal(wrong), StartsWith("invalid JSON at byte "));
  const auto far_too_big = complaint([] { document::parse("1e309").root().as_double("time"); });
  CHECK(far_too_big == "time: is out of the range of numbers");
}

TEST_CASE("unsigned numbers are exact and bounded") {
  const auto read = [](std::string_view text) { return document::parse(text).root().as_uint("memory"); };
  CHECK(read("0") == 0);
  CHECK(read("null") == 0);
  CHECK(read("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(read("9007199254740993") == 9007199254740993u); // 2^53 + 1
  CHECK(complaint([&] { read("18446744073709551616"); }) == "memory: does not fit into 64 bits");
  for (const auto* wrong : {"-1", "-0", "1.5", "1.0", "1e2", "\"1\"", "true", "[]", "{}"})
    CHECK(complaint([&] { read(wrong); }) == "memory: must be a non-negative whole number");
}

TEST_CASE("signed numbers are exact and bounded") {
  const auto read = [](std::string_view text) { return document::parse(text).root().as_int("vnc"); };
  CHECK(read("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(read("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(read("-0") == 0);
  CHECK(read("null") == 0);
  CHECK(complaint([&] { read("9223372036854775808"); }) == "vnc: does not fit into 64 bits");
  for (const auto* wrong : {"1.5", "1e2", "\"1\"", "false", "[1]", "{}"})
    CHECK(complaint([&] { read(wrong); }) == "vnc: must be a whole number");
}

TEST_CASE("fractions are read as double") {
  const auto read = [](std::string_view text) { return document::parse(text).root().as_double("time"); };
  CHECK(read("0.1") == 0.1);
  CHECK(read("-1e2") == -100.0);
  CHECK(read("18446744073709551616") == 18446744073709551616.0);
  CHECK(read("null") == 0);
  CHECK(complaint([&] { read("\"1\""); }) == "time: must be a number");
}

TEST_CASE("a reader of the wrong kind names the field") {
  const auto doc = document::parse(R"([1,"x",true,[],{}])");
  const auto items = doc.root().items("list");
  REQUIRE(items.size() == 5);
  CHECK(complaint([&] { items[0].get().as_string("f"); }) == "f: must be a string");
  CHECK(complaint([&] { items[1].get().as_bool("f"); }) == "f: must be true or false");
  CHECK(complaint([&] { items[2].get().items("f"); }) == "f: must be an array");
  CHECK(complaint([&] { items[3].get().members("f"); }) == "f: must be an object");
  CHECK(complaint([&] { items[4].get().as_double("f"); }) == "f: must be a number");
  CHECK(items[0].get().find("x") == nullptr);
}

TEST_CASE("null reads as the zero value of every type") {
  const auto doc = document::parse("null");
  CHECK(doc.root().as_string("f").empty());
  CHECK_FALSE(doc.root().as_bool("f"));
  CHECK(doc.root().items("f").empty());
  CHECK(doc.root().members("f").empty());
  CHECK(doc.root().find("x") == nullptr);
}

TEST_CASE("of members with one name all are listed and the last is found") {
  const auto doc = document::parse(R"({"a":1,"b":2,"a":3})");
  CHECK(doc.root().members("f").size() == 3);
  REQUIRE(doc.root().find("a") != nullptr);
  CHECK(doc.root().find("a")->as_int("a") == 3);
  CHECK(doc.root().find("c") == nullptr);
}

TEST_CASE("a document may be moved while its nodes are in use") {
  auto first = document::parse(R"({"a":[1,2,3]})");
  const auto& root = first.root();
  const auto second = std::move(first);
  CHECK(&second.root() == &root);
  CHECK(root.text() == R"({"a":[1,2,3]})");
}

TEST_CASE("a part of a document keeps the text that it is of, also beside other parts in a list") {
  auto part = [] {
    const auto whole = document::parse(R"({"a":{"b":[1.10,"x"]},"c":2})");
    return whole.part(*whole.root().find("a"));
  }();
  CHECK(part.root().text() == R"({"b":[1.10,"x"]})");
  auto list = document::list({part, document::parse("7"), document{}});
  part = document{};
  CHECK(part.root().is_null());
  const auto copy = list;
  list = document::list({});
  CHECK(copy.root().text() == R"([{"b":[1.10,"x"]},7,null])");
  CHECK(copy.root().items("list").size() == 3);
  CHECK(list.root().text() == "[]");
}

TEST_CASE("strings are decoded and escaped again") {
  const auto doc = document::parse(R"("\u00e9\n\t\"\\\/\u0000\u001f\ud83d\ude00")");
  CHECK(doc.root().as_string("f") == std::string("\xc3\xa9\n\t\"\\/\0\x1f\xf0\x9f\x98\x80", 13));
  CHECK(doc.root().text() == "\"\xc3\xa9\\n\\t\\\"\\\\/\\u0000\\u001f\xf0\x9f\x98\x80\"");
  CHECK(round_trip(R"({"k\"\n":1})") == R"({"k\"\n":1})");
}

TEST_CASE("an empty text is told from a broken one") {
  for (const auto* text : {"", " ", "\r\n\t "})
    CHECK(refusal(text) == "empty body: JSON expected at byte 0");
  CHECK(refusal(std::string_view{}) == "empty body: JSON expected at byte 0");
}

TEST_CASE("malformed text is refused with the byte") {
  CHECK(refusal("{\"a\":1,}") == "invalid JSON at byte 7: missing a name for object member");
  CHECK(refusal("{} x") == "invalid JSON at byte 3: the document root must not be followed by other values");
  CHECK(refusal("[1,2") == "invalid JSON at byte 4: missing a comma or ']' after an array element");
  for (const auto* text : {"{}{}",
                           "[] []",
                           "1 2",
                           "nul",
                           "True",
                           "NaN",
                           "Infinity",
                           "-",
                           "+1",
                           "01",
                           "1.",
                           ".5",
                           "1e",
                           "0x10",
                           "'a'",
                           "{a:1}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1 \"b\":2}",
                           "[1,]",
                           "[,1]",
                           "[",
                           "{",
                           "]",
                           "}",
                           "\"",
                           "\"\\",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\n\"",
                           "\"\t\"",
                           "// c\n1",
                           "/**/1",
                           "\xef\xbb\xbf{}",
                           ":",
                           ",",
                           "[}",
                           "{]",
                           "tru",
                           "\"abc"}) {
    INFO(text);
    CHECK_THAT(refusal(text), StartsWith("invalid JSON at byte "));
  }
}

TEST_CASE("a NUL byte ends nothing quietly") {
  using namespace std::string_literals;
  CHECK_THAT(refusal("{}\0"s), StartsWith("invalid JSON at byte 2: "));
  CHECK_THAT(refusal("{}\0{}"s), StartsWith("invalid JSON at byte 2: "));
  CHECK_THAT(refusal("1\0"s), StartsWith("invalid JSON at byte 1: "));
  CHECK_THAT(refusal("{\0}"s), StartsWith("invalid JSON at byte 1: "));
  CHECK_THAT(refusal("\"a\0b\""s), StartsWith("invalid JSON at byte 2: "));
  CHECK(refusal("\0"s) != "nothing was thrown");
  CHECK(refusal("\0{}"s) != "nothing was thrown");
}

TEST_CASE("bytes that are no UTF-8 are refused in strings and in keys") {
  for (const auto* bytes : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe0\x9f\xbf",
                            "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x9f\x98",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff"}) {
    const auto quoted = '"' + std::string{bytes} + '"';
    CHECK_THAT(refusal(quoted), StartsWith("invalid JSON at byte "));
    CHECK_THAT(refusal("{" + quoted + ":1}"), StartsWith("invalid JSON at byte "));
    CHECK_THAT(refusal(bytes), StartsWith("invalid JSON at byte 0"));
  }
  for (const auto* bytes : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                            "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(round_trip('"' + std::string{bytes} + '"') == '"' + std::string{bytes} + '"');
}

TEST_CASE("lone surrogates are refused") {
  for (const auto* text : {R"("\ud800")", R"("\udc00")", R"("\udfffx")", R"("\ud800\ud800")", R"("\ud800x")",
                           R"(["a","b\ude00"])", R"({"\udc00":1})"})
    CHECK_THAT(refusal(text), Contains("urrogate"));
}

TEST_CASE("nesting is allowed up to the limit") {
  CHECK(round_trip(nested(json::max_depth)) == nested(json::max_depth));
  CHECK(refusal(nested(json::max_depth + 1)) == "nested too deeply at byte 100");
  CHECK(refusal("[" + nested(99) + "," + nested(100) + "]") == "nested too deeply at byte 299");
}

TEST_CASE("hostile brackets end in an error, not in a crash") {
  CHECK(refusal(std::string(2'000'000, '[')) == "nested too deeply at byte 100");
  CHECK(refusal(nested(500'000)) == "nested too deeply at byte 100");
  std::string objects;
  for (int i = 0; i < 100'000; ++i)
    objects += "{\"a\":";
  CHECK(refusal(objects) == "nested too deeply at byte 500");
  CHECK_THAT(refusal(std::string(2'000'000, ']')), StartsWith("invalid JSON at byte 0"));
}

TEST_CASE("wide texts are read whole") {
  std::string text = "[0";
  for (int i = 1; i < 200'000; ++i)
    text += "," + std::to_string(i);
  text += "]";
  const auto doc = document::parse(text);
  CHECK(doc.root().items("f").size() == 200'000);
  CHECK(doc.root().text() == text);
  std::string huge(1'000'002, 'x');
  huge.front() = huge.back() = '"';
  CHECK(round_trip(huge) == huge);
}

TEST_CASE("the writer puts commas where they belong, at any nesting") {
  json::writer w;
  w.begin_object().key("a").begin_array().end_array();
  w.key("b").begin_array().value(1).begin_object().end_object().begin_array().value("x").value("[").end_array();
  w.value(":").value("{").null().end_array();
  w.key("c").begin_object().key("d").value(true).key("e").raw("[1,2]").end_object().key("f").value(false);
  w.end_object();
  CHECK(w.str() == R"({"a":[],"b":[1,{},["x","["],":","{",null],"c":{"d":true,"e":[1,2]},"f":false})");
}

TEST_CASE("the writer writes numbers exactly and doubles as short as they read back") {
  json::writer w;
  w.begin_array().value(std::numeric_limits<std::uint64_t>::max()).value(std::numeric_limits<std::int64_t>::min());
  w.value(-1).value(7u).value(0.1).value(5.0).value(1e300).value(-2.5e-11).value(1.0 / 3).end_array();
  CHECK(w.str() == "[18446744073709551615,-9223372036854775808,-1,7,0.1,5,1e+300,-2.5e-11,0.3333333333333333]");
  CHECK(round_trip(w.str()) == w.str());
}

TEST_CASE("the writer writes figures of at most nine decimals without an exponent") {
  json::writer w;
  w.begin_array().value(12.5).value(100000.0).value(1234567890 / 1e9).value(0.000000001).value(123456.789).value(-12.5);
  w.value(999999.999999999).value(-100000.0).value(1e6).value(0.1 + 0.2).value(1.5e-10).value(0.0).end_array();
  CHECK(w.str() == "[12.5,100000,1.23456789,0.000000001,123456.789,-12.5,"
                   "999999.999999999,-100000,1e+06,0.30000000000000004,1.5e-10,0]");
}

TEST_CASE("each double that the writer writes reads back the same") {
  std::mt19937_64 random{7};
  std::vector<double> wrong;
  for (int i = 0; i < 20000; ++i) {
    const auto digits = static_cast<double>(random() >> (random() % 64));
    for (const double value :
         {digits, digits / 10, digits / 1e3, digits / 1e6, digits / 1e9, digits * 1.1, -digits / 100}) {
      json::writer w;
      w.value(value);
      if (document::parse(w.str()).root().as_double("value") != value)
        wrong.push_back(value);
    }
  }
  CHECK(wrong.empty());
}

TEST_CASE("the writer has null for numbers that JSON has not") {
  using limits = std::numeric_limits<double>;
  json::writer w;
  w.begin_array().value(limits::quiet_NaN()).value(limits::infinity()).value(-limits::infinity()).value(1).end_array();
  CHECK(w.str() == "[null,null,null,1]");
}

TEST_CASE("what the writer has to escape it finds wherever it stands") {
  std::vector<std::string> wrong;
  for (int c = 0; c < 0x80; ++c)
    for (std::size_t before = 0; before < 17; ++before)
      for (const auto* behind : {"", "behind", "far behind it"}) {
        const auto text = std::string(before, 'x') + static_cast<char>(c) + behind;
        json::writer w;
        if (document::parse(w.value(text).str()).root().as_string("text") != text)
          wrong.push_back(text);
      }
  CHECK(wrong.empty());
}

TEST_CASE("the writer escapes keys and strings and repairs what is no UTF-8") {
  const auto written = [](std::string_view text) {
    json::writer w;
    w.begin_object().key(text).value(text).end_object();
    CHECK_NOTHROW(document::parse(w.str()));
    return w.str();
  };
  CHECK(written("a\"\\/\b\f\n\r\t\x01\x1f\x7f") ==
        "{\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}");
  CHECK(written("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") ==
        "{\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}");
  for (const auto* broken : {"\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
                             "\xe0\x80\x80", "\xf0\x80\x80\x80"})
    CHECK_THAT(written(broken), Contains("\xef\xbf\xbd"));
}

TEST_CASE("a member that an object at any level has twice is found by its name") {
  const auto check = [](std::string_view text) { json::expect_distinct_members(document::parse(text).root()); };
  for (const auto* fine : {"null", "[1,1]", R"({"a":1,"b":1})", R"({"a":{"a":1},"b":[{"a":1},{"a":1}]})"})
    CHECK_NOTHROW(check(fine));
  CHECK_THROWS_WITH(check(R"({"a":1,"b":2,"a":null})"), "a: is given twice");
  CHECK_THROWS_WITH(check(R"({"a":[{"b":1,"\u0062":2}]})"), "b: is given twice");
}
