// The measurements that a C++ program can make with libindi's BaseClient; those of `measurements`, in its words.
// Usage: peer NAME host=HOST port=PORT NAME=VALUE ...  (prints a JSON object)

#include <libindi/baseclient.h>
#include <libindi/basedevice.h>
#include <libindi/indiproperty.h>

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using Arguments = std::map<std::string, std::string>;
using Results = std::vector<std::pair<std::string, double>>;

static double clock_seconds(clockid_t which) {
    timespec now;
    clock_gettime(which, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}
static double wall() { return clock_seconds(CLOCK_MONOTONIC); }
static double processor() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

// Counts what its thread is told, and lets the main thread wait for it.
class Client : public INDI::BaseClient {
  public:
    explicit Client(const Arguments &arguments) {
        setServer(arguments.at("host").c_str(), std::stoi(arguments.at("port")));
    }

    // Connect, and wait until all is defined.
    void begin() {
        if (!connectServer()) {
            std::fprintf(stderr, "no connection\n");
            std::exit(1);
        }
        wait([this] { return ready; });
    }

    void wait(const std::function<bool()> &holds) {
        std::unique_lock<std::mutex> lock(mutex);
        if (!changed.wait_for(lock, std::chrono::seconds(300), holds)) {
            std::fprintf(stderr, "nothing came\n");
            std::exit(1);
        }
    }

    void switchOn(const char *member) {
        done = false;
        sendNewSwitch("Bench", "CONTROL", member);
    }

    // From switching something on to its end.
    double run(const char *member) {
        double start = wall();
        switchOn(member);
        wait([this] { return done; });
        return wall() - start;
    }

    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false, done = false, lost = false;
    int numbers = 0, blobs = 0;
    double newest = 0; // milliseconds that the newest BLOB took, if its format says when it was sent

  protected:
    void newProperty(INDI::Property property) override {
        if (property.getDeviceName() == std::string("Bench") && property.isNameMatch("BLOB"))
            tell([this] { ready = true; });
    }

    void updateProperty(INDI::Property property) override {
        if (property.getType() == INDI_NUMBER)
            tell([this] { ++numbers; });
        else if (property.getType() == INDI_BLOB)
            tell([&] {
                ++blobs;
                auto *blob = property.getBLOB()->at(0);
                newest = wall() * 1e3 - std::atof(blob->getFormat() + 1) * 1e-6;
            });
        else if (property.isNameMatch("CONTROL") && property.getState() == IPS_OK)
            tell([this] { done = true; });
    }

    void newMessage(INDI::BaseDevice, int) override {} // else it prints them

    void serverDisconnected(int) override {
        tell([this] { lost = true; });
    }

  private:
    void tell(const std::function<void()> &change) {
        std::lock_guard<std::mutex> lock(mutex);
        change();
        changed.notify_all();
    }
};

static Results events(Client &client, const Arguments &arguments) {
    client.begin();
    double updates = std::stod(arguments.at("updates")), cpu = processor();
    double taken = client.run("GO");
    return {{"events per s", updates / taken}, {"processor us per event", (processor() - cpu) / updates * 1e6}};
}

static Results start_up(Client &client, const Arguments &) {
    double start = wall(), cpu = processor();
    client.begin();
    return {{"ms until all is known", (wall() - start) * 1e3}, {"processor ms", (processor() - cpu) * 1e3}};
}

static Results round_trip(Client &client, const Arguments &arguments) {
    client.begin();
    std::vector<double> taken(std::stoi(arguments.at("trips")));
    for (double &each : taken) {
        int before = client.numbers;
        double start = wall();
        client.sendNewNumber("Bench", "V0", "M0", 1);
        client.wait([&] { return client.numbers > before; });
        each = (wall() - start) * 1e3;
    }
    std::sort(taken.begin(), taken.end());
    return {{"median ms", taken[taken.size() / 2]}, {"99th percentile ms", taken[taken.size() * 99 / 100]}};
}

static Results commands(Client &client, const Arguments &arguments) {
    client.begin();
    int count = std::stoi(arguments.at("commands"));
    double start = wall(), cpu = processor();
    for (int number = 0; number < count; ++number)
        client.sendNewNumber("Bench", "V0", "M0", number);
    client.wait([&] { return client.numbers >= count; });
    return {{"commands per s", count / (wall() - start)},
            {"processor us per command", (processor() - cpu) / count * 1e6}};
}

static Results idle(Client &client, const Arguments &arguments) {
    client.begin();
    double length = std::stod(arguments.at("length"));
    rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double cpu = processor();
    std::this_thread::sleep_for(std::chrono::duration<double>(length));
    getrusage(RUSAGE_SELF, &after);
    return {{"wake-ups per s", (after.ru_nvcsw - before.ru_nvcsw - 1) / length},
            {"processor ms per s", (processor() - cpu) / length * 1e3}};
}

static double status(const std::string &name) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;)
        if (word == name + ":") {
            double kilobytes;
            file >> kilobytes;
            return kilobytes * 1024;
        }
    return 0;
}

static Results blobs(Client &client, const Arguments &arguments) {
    client.begin();
    client.setBLOBMode(B_ALSO, "Bench", nullptr);
    double size = std::stod(arguments.at("blob")), total = size * std::stod(arguments.at("count"));
    double before = status("VmRSS");
    std::ofstream("/proc/self/clear_refs") << "5";
    client.run("ONE");
    double peak = status("VmHWM") - before, cpu = processor();
    double taken = client.run("GO");
    return {{"MB per s", total / taken / 1e6},
            {"payloads of memory", peak / size},
            {"processor s per GB", (processor() - cpu) / total * 1e9}};
}

static Results shared(Client &client, const Arguments &arguments) {
    client.begin();
    client.enableDirectBlobAccess(); // without a copy
    client.setBLOBMode(B_ALSO, "Bench", "BLOB");
    std::vector<double> taken(std::stoi(arguments.at("count")));
    for (double &each : taken) {
        int before = client.blobs;
        client.switchOn("GO");
        client.wait([&] { return client.blobs > before; });
        each = client.newest;
    }
    std::sort(taken.begin(), taken.end());
    return {{"ms from driver to program", taken[taken.size() / 2]}};
}

static Results end_of_stream(Client &client, const Arguments &) {
    client.begin();
    double start = wall();
    client.switchOn("END");
    client.wait([&] { return client.lost; });
    return {{"s until it is seen", wall() - start}};
}

static const std::map<std::string, Results (*)(Client &, const Arguments &)> MEASUREMENTS = {
    {"events", events},     {"start_up", start_up}, {"round_trip", round_trip},
    {"commands", commands}, {"idle", idle},         {"blobs", blobs},
    {"shared", shared},     {"end_of_stream", end_of_stream},
};

int main(int count, char **words) {
    Arguments arguments;
    for (int place = 2; place < count; ++place) {
        std::string word = words[place];
        auto sign = word.find('=');
        arguments[word.substr(0, sign)] = word.substr(sign + 1);
    }
    Client client(arguments);
    Results results = MEASUREMENTS.at(words[1])(client, arguments);
    const char *before = "{";
    for (auto &[name, value] : results) {
        std::printf("%s\"%s\": %.9g", before, name.c_str(), value);
        before = ", ";
    }
    std::puts("}");
    std::fflush(stdout);
    std::_Exit(0); // its end waits for the server
}
