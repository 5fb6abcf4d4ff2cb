# The program whose logs are here: a small Rails application's development.log.
#
#   RAILS_ENV=development DATABASE_URL=postgresql://… LOG=OUTPUT ruby capture.rb [tagged] [colour] [formatter] [threads]
#
# Captured with Rails 6.1.7 (Debian 12), Ruby 3.1 and PostgreSQL 15 on the tables of schema.sql:
# development.log is what Rails writes by itself (colour), tagged.log has `config.log_tags = [:request_id]`
# and requests on two threads, formatter.log Ruby's own Logger::Formatter (production) with tags.
require "rails"
require "action_controller/railtie"
require "active_record/railtie"
require "active_job/railtie"
require "rack/mock"

class Shop < Rails::Application
  config.root = Dir.mktmpdir
  config.eager_load = false
  config.secret_key_base = "capture" * 10
  config.hosts.clear
  config.log_level = :debug
  config.colorize_logging = ARGV.include?("colour")
  config.log_tags = [:request_id] if ARGV.include?("tagged")
  logger = ActiveSupport::Logger.new(ENV.fetch("LOG"))
  logger.formatter = ARGV.include?("formatter") ? ::Logger::Formatter.new : ActiveSupport::Logger::SimpleFormatter.new
  config.logger = ActiveSupport::TaggedLogging.new(logger)
  config.active_job.queue_adapter = :inline
  routes.append do
    get "lazy" => "books#lazy"
    get "eager/:id" => "books#eager"
    get "others" => "books#others"
    get "job" => "books#job"
  end
end

class Author < ActiveRecord::Base
end

class Book < ActiveRecord::Base
  belongs_to :author
end

class AuthorsJob < ActiveJob::Base
  # 11 statements: 10 books, and the author of each.
  def perform(count)
    Book.order(:id).limit(count).each { |book| book.author.name }
  end
end

class BooksController < ActionController::Base
  # 11 statements: 10 books, and the author of each.
  def lazy
    render plain: Book.order(:id).limit(10).map { |book| book.author.name }.join(", ")
  end

  # 2 statements: 10 books, and all their authors.
  def eager
    render plain: Book.includes(:author).order(:id).limit(10).map { |book| book.author.name }.join(", ")
  end

  # 5 statements and 1 answer of Rails' own cache: two texts of several lines, a write in a transaction.
  def others
    Book.connection.select_value("SELECT count(*)\n  FROM books\n WHERE title <> '  Book Load (0.3ms)  it''s'")
    Author.find_by(name: "author '1'\n  Author Load (0.1ms)  SELECT 1  [[\"id\", 1]]")
    2.times { Author.where(id: 3).to_a }
    Author.transaction { Author.find(3).update_columns(name: "author 3") }
    render plain: "done"
  end

  def job
    AuthorsJob.perform_later(10)
    render plain: "done"
  end
end

Shop.initialize!
get = ->(path) { Rack::MockRequest.new(Shop).get(path, "HTTP_HOST" => "localhost") }
if ARGV.include?("threads")
  2.times.map { |n| Thread.new { %w[/lazy /eager/1].rotate(n).each(&get) } }.each(&:join)
end
%w[/lazy?page=1 /eager/1 /others /job /lazy?page=2].each { |path| abort "failed: #{path}" if get.(path).status != 200 }
