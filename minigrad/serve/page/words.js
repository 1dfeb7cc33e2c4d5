// The words of the page, in English and in Chinese. The English ones are the keys.

import { state } from "./common.js";

export const CHINESE = new Map(Object.entries({
  // the head of the page
  "minigrad playground": "minigrad 演练场", "playground": "演练场",
  "What the model does": "模型做什么", "Text": "文本", "Conversation": "对话", "Model": "模型",
  "English": "英文", "Chinese": "中文",
  // the form
  "Prompt": "提示词", "Message": "消息", "Examples": "示例", "Settings": "设置", "Seed": "种子",
  "How the text begins": "文本的开头", "What you say": "你想说的话", "any": "随机",
  "Temperature": "温度", "Length": "长度", "all": "全部",
  "temperature {value}, {n} {unit}s": "温度 {value}，{n} 个{unit}",
  "Write": "开始写", "Send": "发送", "Stop": "停止", "Write on": "继续写", "Undo": "撤销",
  "Copy": "复制", "New": "新对话", "New conversation": "新对话",
  "writes,": "开始写，", "sends,": "发送，", "breaks the line,": "换行，", "stops": "停止",
  // the paper
  "character": "字符", "token": "词元",
  "Marks around the turns": "显示每轮的标记",
  "The text, {unit} by {unit}: arrow keys move, Enter looks closer":
    "文本，逐个{unit}：方向键移动，回车键细看",
  "{name}: arrow keys move, Enter looks closer": "{name}：方向键移动，回车键细看",
  "{what} appears here. The less a {unit} was expected, the darker its shade; choose one to see what it beat.":
    "{what}会显示在这里。{unit}越出乎意料，底色越深；选中一个，看看它胜过了哪些候选。",
  "The conversation": "对话", "What the model writes": "模型写的内容",
  "This model goes on with a text: it was not trained to answer. \u201cmake chat\u201d gets one that was.":
    "这个模型只会续写文本，没有受过回答问题的训练。用 \u201cmake chat\u201d 可以得到一个会回答的模型。",
  "given": "给定", "{token}, given": "{token}，给定", "{token}, {p}": "{token}，{p}",
  "bytes {codes}": "字节 {codes}", "space": "空格", "{n} spaces": "{n} 个空格", "line break": "换行",
  // turns
  "System": "系统", "You": "你", "Answer": "回答", "{name}: {text}": "{name}：{text}",
  "Regenerate": "重新生成", "Edit": "编辑", "Save": "保存", "Cancel": "取消",
  "{name}, edited": "编辑：{name}", "the usual one": "默认",
  "From the next answer on.": "从下一个回答起生效。",
  // what happens
  "Writing": "正在写", "Reading": "正在读", "Copied": "已复制", "Stopped": "已停止",
  "Selected; copy it with your keyboard": "已选中，请用键盘复制",
  "{n} {unit}s in {seconds} s, {rate} a second": "{n} 个{unit}，用时 {seconds} 秒，每秒 {rate} 个",
  "Stopped after {n} {unit}s": "已停止，写了 {n} 个{unit}",
  "Changed; Write on goes on from there": "已修改；点\u201c继续写\u201d从那里写下去",
  "First this change: keep it, or cancel it": "请先处理这处修改：保存或取消",
  "; the same again: change the seed or the temperature": "；与上次相同：请换一个种子或温度",
  "; {n} later turns are gone, Undo has them": "；后面的 {n} 轮已移除，可以撤销",
  "Seed {seed}: use again": "种子 {seed}：再用一次",
  // the lens
  "One {unit}": "一个{unit}", "Look at": "查看", "Alternatives": "候选词", "Attention": "注意力",
  "Previous": "上一个", "Next": "下一个", "Close": "关闭", "Probability": "概率",
  "Choose a {unit} of the text: point at it, or go to the text with Tab and use the arrow keys.":
    "选一个{unit}：用鼠标点它，或用 Tab 键进入文本后按方向键。",
  "Which {unit}s a head looked at when this one was chosen.":
    "选出这个{unit}时，注意力头看了哪些{unit}。",
  "A {unit} that the model was given.": "给模型的输入中的一个{unit}。",
  "A {unit} of your prompt.": "你的提示词中的一个{unit}。",
  "{how}: {p}, {place}. Choose another one to write on from here.":
    "{how}：{p}，{place}。选另一个，就从这里改写下去。",
  "Chosen by you": "由你选定", "Drawn": "抽样得到", "the likeliest": "概率最高",
  "the second choice": "概率第二", "the third choice": "概率第三",
  "choice number {n}": "概率第 {n}", "a far choice": "概率靠后",
  "{token}, {p}, written": "{token}，{p}，已写出",
  "{token}, {p}: write on with it": "{token}，{p}：换成它继续写", "All others: {p}": "其余全部：{p}",
  "Layer": "层", "Head": "头", "all, averaged": "全部平均", "Looking": "正在查看",
  "No attention to show yet": "还没有注意力可显示", "Attention of {n} {unit}s": "{n} 个{unit}的注意力",
  "Nothing stands before it.": "它前面什么也没有。",
  "{from} looked at {where}: {p}": "{from} 注意 {where}：{p}", "itself": "自己",
  "{to}, {n} back": "{to}（前面第 {n} 个）",
  "Rows look, columns are looked at, the oldest first. The last row was the one that counted for this {unit}; it shades the text.":
    "行在看，列被看，最早的在前。决定这个{unit}的是最后一行，文本的底色也由它而来。",
  // what goes wrong
  "Key": "密钥", "Use it": "使用", "Try again": "重试",
  "This is not the key of the service.": "密钥不正确。",
  "This service wants to know a key.": "这个服务需要密钥。",
  "The text is too long for the service. Please shorten the prompt.":
    "文本太长，服务无法处理。请缩短提示词。",
  "The service is busy. Please try again in {n} s.": "服务正忙。请在 {n} 秒后重试。",
  "The service is busy. Please try again.": "服务正忙。请重试。",
  "The service failed ({status}). {said}": "服务出错（{status}）。{said}",
  "No connection to the service. Is python -m minigrad.serve running?":
    "无法连接服务。python -m minigrad.serve 在运行吗？",
  "The connection was lost after {n} {unit}s. Write on goes on from there.":
    "写了 {n} 个{unit}后连接中断。点\u201c继续写\u201d从那里写下去。",
  "Seed: please give a whole number, or nothing.": "种子：请填一个整数，或者留空。",
  "This device has no Chinese font: each character shows as a box. On Debian or Ubuntu: apt install fonts-noto-cjk.":
    "本机没有中文字体，汉字都显示成方框。Debian 或 Ubuntu：apt install fonts-noto-cjk。",
}));

let chosen = null; // by the reader, or else the browser's first of the two
try {
  chosen = localStorage.getItem("minigrad-language");
} catch { /* works without */ }

export const tongue = () => ["en", "zh-Hans"].includes(chosen) ? chosen
  : navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag))?.match(/^zh/i) ? "zh-Hans" : "en";
export const other = () => tongue() === "en" ? "zh-Hans" : "en";

export function say(words, values = {}) { // {name} stands for a value, {unit} for the model's
  const text = tongue() === "en" ? words : CHINESE.get(words) ?? words;
  return text.replace(/\{(\w+)\}/g, (_, name) => name === "unit" ? say(state.unit) : values[name]);
}

const told = new WeakMap(); // of elements: what gives the words of their properties, once more

export function tell(element, words, property = "textContent") {
  const give = typeof words === "function" ? words : () => words;
  told.set(element, { ...told.get(element), [property]: give });
  element[property] = give();
}

export function tellAlso(element, more) {
  const words = told.get(element).textContent;
  tell(element, () => words() + more());
}

export function retell() { // in another language, or of another unit
  document.documentElement.lang = tongue();
  for (const element of document.querySelectorAll("*")) {
    for (const [property, give] of Object.entries(told.get(element) ?? {})) {
      const words = give();
      if (element[property] !== words) element[property] = words;
    }
  }
}

export function tellPage() { // what stands in index.html: data-say lists properties
  for (const element of document.querySelectorAll("[data-say]")) {
    for (const property of (element.dataset.say || "textContent").split(" ")) {
      const words = element[property].replace(/\s+/g, " ");
      tell(element, () => say(words), property);
    }
  }
  retell();
}

export function changeTongue() {
  chosen = other();
  try {
    localStorage.setItem("minigrad-language", chosen);
  } catch { /* works without */ }
  retell();
}
