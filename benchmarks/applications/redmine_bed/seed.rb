# frozen_string_literal: true

# Fills a Redmine: people and roles, projects in projects, issues with all that hangs on them, time,
# wikis, news, forums. Everything is made through Redmine's own models, and looks alike in every run.

require "redmine/default_data/loader"

module Seed
  PEOPLE = 24
  PROJECTS = 9
  ISSUES = 36 # of each project

  module_function

  def fill
    ActionMailer::Base.perform_deliveries = false
    Redmine::DefaultData::Loader.load("en")
    Setting.rest_api_enabled = "1"
    Setting.login_required = "0"
    Setting.feeds_limit = "30"
    admin
    fields
    people = people_and_groups
    PROJECTS.times { |number| project(number, people) }
    queries(people)
    ActiveRecord::Base.connection.execute("ANALYZE")
  end

  def admin
    user = User.find_by(login: "admin")
    user.password = user.password_confirmation = Requests::PASSWORD
    user.must_change_passwd = false
    user.save!
    User.current = user
    # The key of the REST API, which Redmine would draw.
    Token.create!(user: user, action: "api").update_column(:value, Requests::KEY)
  end

  def people_and_groups
    people = Array.new(PEOPLE) do |number|
      user = User.new(firstname: "First#{number}", lastname: "Last#{number}", mail: "u#{number}@example.org")
      user.login = "u#{number}"
      user.password = user.password_confirmation = Requests::PASSWORD
      user.language = "en"
      user.save!
      user
    end
    3.times do |number|
      group = Group.create!(lastname: "Group #{number}")
      group.users << people.each_slice(8).to_a[number]
    end
    people
  end

  def fields
    types = [["Severity", "list"], ["Customer", "string"], ["Reviewer", "user"], ["Effort", "int"], ["Due in", "version"]]
    types.each do |name, format|
      field = IssueCustomField.new(name: name, field_format: format, is_for_all: true, is_filter: true)
      field.possible_values = %w[low middle high] if format == "list"
      field.trackers = Tracker.all.to_a
      field.save!
    end
    ProjectCustomField.create!(name: "Department", field_format: "string")
    TimeEntryCustomField.create!(name: "Overtime", field_format: "bool")
    UserCustomField.create!(name: "Phone", field_format: "string", visible: true)
  end

  def project(number, people)
    project = Project.new(name: "Project #{number}", description: "What project #{number} is for. " * 5)
    project.identifier = "project-#{number}"
    project.is_public = number != 8
    project.enabled_module_names = Redmine::AccessControl.available_project_modules.map(&:to_s) - ["repository"]
    project.trackers = Tracker.all.to_a
    project.custom_field_values = { ProjectCustomField.first.id => "Department #{number % 3}" }
    project.save!
    project.set_parent!(Project.find_by(identifier: "project-#{(number - 1) / 2}")) if number.positive?
    members(project, people.rotate(number * 3).first(12))
    versions = Array.new(5) { |n| Version.create!(project: project, name: "#{n}.0", effective_date: Date.new(2026, 1 + n, 20)) }
    versions.first.update!(status: "closed")
    categories = Array.new(5) { |n| IssueCategory.create!(project: project, name: "Category #{n}") }
    issues = Array.new(ISSUES) { |n| issue(project, n, versions, categories) }
    hang_on(issues)
    texts(project, project.users.to_a)
  end

  def members(project, people)
    roles = Role.givable.to_a
    people.each_with_index do |user, n|
      Member.create!(project: project, principal: user, roles: [roles[n % roles.size], roles[(n + 1) % roles.size]].uniq)
    end
    Member.create!(project: project, principal: Group.givable.first, roles: [roles.last])
  end

  def issue(project, number, versions, categories)
    people = project.users.sort_by(&:id)
    issue = Issue.new(project: project, tracker: project.trackers[number % 3], author: people[number % people.size])
    issue.subject = "Issue #{number} of #{project.name}"
    issue.description = "h2. What is wrong\n\n* item #{number}\n* see [[Wiki]] and #1\n\n" * 2
    issue.status = IssueStatus.sorted.to_a[number % 5]
    issue.priority = IssuePriority.active.to_a[number % 4]
    issue.category = categories[number % 5]
    issue.fixed_version = versions[1 + (number % 4)]
    issue.assigned_to = people[(number * 5) % people.size] if number % 4 != 3
    issue.start_date = Date.new(2026, 1 + (number % 6), 1 + number % 20)
    issue.due_date = issue.start_date + 5 + number % 30
    issue.estimated_hours = number % 9
    issue.parent_issue_id = project.issues.order(:id).first&.id if number.between?(1, 6)
    values = IssueCustomField.all.to_h { |field| [field.id.to_s, value(field, number, people, versions)] }
    issue.custom_field_values = values
    issue.save!
    issue
  end

  def value(field, number, people, versions)
    case field.field_format
    when "list" then field.possible_values[number % 3]
    when "user" then people[number % people.size].id.to_s
    when "version" then versions.last.id.to_s
    when "int" then (number * 3).to_s
    else "Customer #{number % 7}"
    end
  end

  # Notes and changes, watchers, relations, and time that was spent.
  def hang_on(issues)
    activities = TimeEntryActivity.active.to_a
    issues.each_with_index do |issue, number|
      people = issue.project.users.sort_by(&:id)
      (number % 7).times do |n|
        issue.reload
        issue.init_journal(people[(number + n) % people.size], "Note #{n}: see ##{issue.id - 1 if n.positive?}")
        issue.done_ratio = 10 * n
        issue.priority = IssuePriority.active.to_a[n % 4]
        issue.save!
      end
      people.first(number % 8).each { |user| issue.add_watcher(user) unless issue.watcher_users.include?(user) }
      (number % 4).times do |n|
        user = people[(number + n) % people.size]
        TimeEntry.create!(
          project: issue.project, issue: issue, user: user, author: user, activity: activities[n % activities.size],
          hours: 1 + n, spent_on: Date.new(2026, 3 + n, 1 + number % 20), comments: "Work #{n}"
        )
      end
    end
    issues.last(16).each_slice(2) { |one, other| IssueRelation.create!(issue_from: one, issue_to: other, relation_type: "relates") }
    issues.last(8).each { |one| IssueRelation.create!(issue_from: issues[10], issue_to: one, relation_type: "relates") }
  end

  def texts(project, people)
    wiki = project.wiki || Wiki.create!(project: project, start_page: "Wiki")
    8.times do |n|
      page = WikiPage.new(wiki: wiki, title: n.zero? ? "Wiki" : "Page_#{n}")
      page.parent = wiki.pages.order(:id).first if n.between?(1, 5)
      page.content = WikiContent.new(page: page, author: people[n % people.size], text: "h1. Page #{n}\n\nSee #1 and [[Page_#{n + 1}]].")
      page.save!
      3.times { |v| page.content.reload.update!(text: "h1. Page #{n}, #{v}\n\n{{child_pages}}\n\nSee [[Page_2]].", author: people[v]) }
    end
    6.times do |n|
      news = News.create!(project: project, author: people[n % people.size], title: "News #{n}", description: "Something new. " * 9)
      (n + 2).times { |c| Comment.create!(commented: news, author: people[c % people.size], content: "Comment #{c}") }
    end
    3.times do |n|
      board = Board.create!(project: project, name: "Board #{n}", description: "What board #{n} is for")
      7.times do |t|
        topic = Message.create!(board: board, author: people[t % people.size], subject: "Topic #{t}", content: "First of topic #{t}")
        (t + 1).times { |r| Message.create!(board: board, author: people[r % people.size], parent: topic, subject: "RE: Topic #{t}", content: "Reply #{r}") }
      end
    end
    categories = DocumentCategory.active.to_a
    6.times { |n| Document.create!(project: project, category: categories[n % categories.size], title: "Document #{n}", description: "Text") }
  end

  def queries(people)
    options = { "By status" => "status", "By person" => "assigned_to", "By version" => "fixed_version" }
    options.each_with_index do |(name, group), n|
      IssueQuery.create!(
        name: name, user: people[n], group_by: group, visibility: Query::VISIBILITY_PUBLIC,
        column_names: %w[tracker status priority subject assigned_to category fixed_version spent_hours relations]
      )
    end
  end
end
