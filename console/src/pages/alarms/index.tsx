export default function Alarms() {
  return null;
}
