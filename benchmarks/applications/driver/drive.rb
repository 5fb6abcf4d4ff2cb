# frozen_string_literal: true

# Drives one process of a Rails application, as drive.py does those in Python, with the same jobs:
#
#     drive.rb rails APPLICATION seed PLAN             make the tables, fill them, write the requests
#     drive.rb rails APPLICATION run PLAN --truth T    send this worker's share of the requests
#
# The application lies in BED_SITE. Its folder `<name>_bed` gives `seed.rb` with `Seed.fill`, and
# `requests.rb` with `Requests.plan`, the requests as for drive.py, and `Requests.login(client, who)`.

require "json"
require "optparse"

HERE = File.dirname(File.expand_path(__FILE__))
SITE = ENV.fetch("BED_SITE")
require "#{HERE}/witness"

options = { think: [0.0, 0.0], worker: 0, workers: 1, tagged: false }
arguments = ARGV.dup
if (place = arguments.index("--think"))
  _, *pauses = arguments.slice!(place, 3)
  options[:think] = pauses.map(&:to_f)
end
OptionParser.new do |parser|
  parser.on("--truth FILE") { |file| options[:truth] = file }
  parser.on("--tagged") { options[:tagged] = true }
  parser.on("--worker N", Integer) { |number| options[:worker] = number }
  parser.on("--workers N", Integer) { |number| options[:workers] = number }
end.parse!(arguments)
_framework, application, job, plan = arguments
plan = File.expand_path(plan)
options[:truth] &&= File.expand_path(options[:truth])
Dir.chdir(SITE)
# In a process of its own: what has seen no tables keeps some wrong ideas of them.
system(RbConfig.ruby, "bin/rake", "--quiet", "db:migrate", out: File::NULL, exception: true) if job == "seed"

require "#{SITE}/config/environment"
require "action_dispatch/testing/integration"
require "#{File.dirname(HERE)}/#{application}/requests"

# A visitor of the site, who keeps cookies and the token that forms send back.
class Client
  attr_reader :session
  attr_accessor :token

  def initialize
    @session = ActionDispatch::Integration::Session.new(Rails.application)
    @session.host!("localhost")
  end

  # Send one request and read the whole answer; its status and where it redirects to. `data` is a
  # form's, `json` a document.
  def send_request(request)
    method = request.fetch("method", "get")
    headers = request.fetch("headers", {})
    headers = headers.merge("X-CSRF-Token" => token) if token && method != "get"
    given = { headers: headers }
    given[:params] = request["data"] if request["data"]
    given.update(params: JSON.generate(request["json"])) if request["json"]
    given[:headers] = headers.merge("CONTENT_TYPE" => "application/json") if request["json"]
    status = @session.process(method.to_sym, request["path"], **given)
    [status, @session.response.headers["Location"]]
  end
end

def seed(application, plan)
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  require "#{File.dirname(HERE)}/#{application}/seed"
  srand(7)
  Seed.fill
  requests = Requests.plan
  File.write(plan, JSON.pretty_generate(requests))
  took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  puts "seeded in #{took.round} s, #{requests.size} requests"
end

def run(plan, options)
  requests = JSON.parse(File.read(plan)).each_with_index.map { |request, n| [n + 1, request] }
  mine = requests.select { |number, _| (number - 1) % options[:workers] == options[:worker] }
  clients = clients_of(mine)
  File.open(options[:truth], "w") do |output|
    witness = Witness.new(output, SITE, tagged: options[:tagged])
    # The first request of a process loads modules and fills caches of the process.
    first = mine.first.last
    clients[first.fetch("who", "")].send_request("path" => first["path"])
    if witness.tagged
      Tagging.witness = witness
      ActiveRecord::ConnectionAdapters::PostgreSQLAdapter.prepend(Tagging)
    end
    witness.watch
    say("ready")
    $stdin.gets
    chance = Random.new(options[:worker])
    mine.each do |number, request|
      answer(witness, clients[request.fetch("who", "")], number, request)
      sleep(chance.rand(options[:think][0]..options[:think][1])) if options[:think][1].positive?
    end
  end
end

def clients_of(requests)
  requests.map { |_, request| request.fetch("who", "") }.uniq.sort.to_h do |who|
    client = Client.new
    Requests.login(client, who) unless who.empty?
    [who, client]
  end
end

def answer(witness, client, number, request)
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  before = witness.statements
  witness.begin(number, request.fetch("route") { request["path"].partition("?").first })
  status, location = client.send_request(request)
  witness.end
  took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  say(JSON.generate(
        request: number, method: request.fetch("method", "get"), path: request["path"], status: status,
        location: location, statements: witness.statements - before, ms: (took * 1000).round
      ))
end

def say(line)
  $stdout.puts(line)
  $stdout.flush
end

job == "seed" ? seed(application, plan) : run(plan, options)
