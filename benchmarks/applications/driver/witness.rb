# frozen_string_literal: true

# The truth of a run of a Rails application: what witness.py is to those in Python.
#
# Active Record tells of every statement once it was executed, in the thread and on the stack of who
# asked for it. The witness writes one JSON line for each beside the SQL, never into it
# (`with_comment` is for the tagged run only). The call path is the stack without frames of Rails: of
# Active Record and what it is made of, and of what calls controllers and templates, and without those
# of the driver. What its query cache answers was not sent.

require "json"
require "securerandom"

class Witness
  # Frames that say how a statement reached the driver, not who asked for it.
  BELOW = %r{/(?:active|action|rack|rail)[a-z_-]*-[\d.]+/|/pg(?:-[\d.]+)?/|/monitor\.rb|\A<internal:}
  ROOTS = %r{\A.*(?:/gems/|/vendor_ruby/|/lib/ruby/\d\.\d\.\d/)}

  attr_reader :statements, :tagged

  def initialize(output, site, tagged:)
    @output = output
    @site = "#{site}/"
    @tagged = tagged
    @names = {}
    @request = nil
    @statements = 0
  end

  # A request starts.
  def begin(request, route)
    @request = request
    @route = route
    @trace = SecureRandom.hex(16)
  end

  # The request is answered.
  def end
    @request = nil
  end

  # From now on see what Active Record sends.
  def watch
    ActiveSupport::Notifications.subscribe("sql.active_record") do |_name, start, _end, _id, event|
      see(start, event) unless @request.nil? || event[:cached]
    end
  end

  # The statement with a comment as sqlcommenter writes it: one trace a request, one span each.
  def with_comment(sql)
    return sql if @request.nil?

    route = @route.gsub("/", "%2F").gsub("'", "%27")
    parent = "00-#{@trace}-#{SecureRandom.hex(8)}-01"
    "#{sql.rstrip.delete_suffix(';')} /*framework='rails',route='#{route}',traceparent='#{parent}'*/"
  end

  private

  def see(start, event)
    @statements += 1
    values = event[:type_casted_binds]
    values = values.call if values.respond_to?(:call)
    line = {
      request: @request,
      route: @route,
      statement: event[:sql],
      parameters: values.nil? || values.empty? ? nil : values.inspect,
      path: path,
      at: start.to_f.round(6),
    }
    @output.puts(JSON.generate(line))
  end

  # Where the statement was asked for, outermost first: file:line.
  def path
    frames = []
    caller_locations(2).each do |frame|
      file = frame.path
      break if file.end_with?("/driver/drive.rb")

      frames << "#{name(file)}:#{frame.lineno}" unless file == __FILE__ || BELOW.match?(file)
    end
    frames.reverse
  end

  # A file's name without the place where it is installed.
  def name(file)
    @names[file] ||= file.start_with?(@site) ? file.delete_prefix(@site) : file.sub(ROOTS, "")
  end
end

# Appends the comment of a tagged run. Prepared statements would keep that of their first request.
module Tagging
  class << self
    attr_accessor :witness
  end

  def execute(sql, name = nil)
    super(Tagging.witness.with_comment(sql), name)
  end

  def exec_no_cache(sql, name, binds)
    super(Tagging.witness.with_comment(sql), name, binds)
  end

  def exec_cache(sql, name, binds)
    exec_no_cache(sql, name, binds)
  end
end
